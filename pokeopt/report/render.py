"""Summary -> one HTML file that needs nothing else: no network, no script to be read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pokeopt.report import confusion, effects, tables, trial_tables, trials
from pokeopt.report.blocks import Figure, Picture, Section, Table, Text
from pokeopt.report.dataset import steps_text
from pokeopt.report.pictures import gallery_blocks
from pokeopt.report.summary import AblationSummary, DataSummary, SearchSummary, StudySummary, Summary
from pokeopt.report.words import PARTS, capital, joined, metric_name, plain, plural

Block = Figure | Picture | Table | Text
EXPLORATORY = (
    "Exploratory: trials were chosen by a sampler, some were pruned. No effect may be read from this section."
)


def render_html(summary: Summary) -> str:
    """Return the page; equal summaries give equal bytes."""
    page = _environment().get_template("page.html.j2")
    studies = [_Study(study, f"s{i}-" if i else "") for i, study in enumerate(summary.studies)]
    return page.render(
        title=" and ".join(study.title for study in summary.studies),
        studies=studies,
        style=_asset("style.css"),
        script=_asset("page.js"),
    )


class _Study:
    """One study as the template wants it: its sections, with ids that no other study on the page has."""

    def __init__(self, study: StudySummary, prefix: str) -> None:
        self.summary, self.prefix = study, prefix
        forest = effects.forest(study.ablation, f"{prefix}forest") if study.ablation else None
        self.forest = forest
        self.sections = [
            section
            for section in (
                self._ablation(study.ablation) if study.ablation else None,
                self._search(study.search) if study.search else None,
                self._pictures(study) if study.galleries else None,
                self._data(study.data) if study.data else None,
                self._failures(),
                self._provenance(),
            )
            if section is not None
        ]

    def _ablation(self, ablation: AblationSummary) -> Section:
        id_ = f"{self.prefix}ablation"
        intro = (
            f"Study {ablation.study}: arms {ablation.mode}, common seeds, full budget, no pruning. "
            f"Scores are {metric_name(ablation.metric)}, read once at the kept epoch, recomputed from stored "
            "predictions where there are any."
        )
        if len(ablation.arms) == 1:
            intro += " The best configuration is the baseline, so there is one arm and no comparison."
        blocks: tuple[Block | None, ...] = (
            Text((intro,)),
            tables.arms_table(ablation, f"{id_}-arms"),
            effects.strip(ablation, f"{id_}-strip"),
            tables.holes_table(ablation, f"{id_}-holes"),
            tables.parts_table(ablation, f"{id_}-parts"),
            *(
                tables.breakdown_table(found, ablation, f"{id_}-{found.metric}")
                for found in ablation.breakdowns
            ),
            confusion.confusions(ablation, f"{id_}-confusion"),
        )
        return Section(id_, "Ablation: what the changes do", _present(blocks))

    def _search(self, search: SearchSummary) -> Section:
        id_ = f"{self.prefix}search"
        how = f"{search.sampler or 'unknown'} sampler, {search.pruner or 'no'} pruner"
        budget = f", {plural(search.budget, 'trial')} asked for" if search.budget else ""
        objective = joined(
            f"{metric_name(m)} ({d})" for m, d in zip(search.metrics, search.directions, strict=True)
        )
        intro = f"Study {search.study}: {how}{budget}. Objective: {objective}."
        if search.best is None:
            intro += " No trial completed, so there is no best one."
        folded = trial_tables.trials_table(search, f"{id_}-trials")
        blocks: tuple[Block | None, ...] = (
            Text((intro,)),
            trial_tables.best_table(search, f"{id_}-best"),
            trial_tables.best_parts_table(search, f"{id_}-parts"),
            trials.front(search, f"{id_}-front"),
            trials.history(search, f"{id_}-history"),
            trials.curves(search, f"{id_}-curves"),
            trials.importance(search, f"{id_}-importance"),
            folded if search.trials else None,
        )
        return Section(id_, "Search: how the best was found", _present(blocks), EXPLORATORY)

    def _pictures(self, study: StudySummary) -> Section:
        id_ = f"{self.prefix}pictures"
        look = effects.styles(study.ablation.arms) if study.ablation else {}
        blocks = [
            block
            for i, gallery in enumerate(study.galleries)
            for block in gallery_blocks(gallery, f"{id_}-{i}", look)
        ]
        return Section(id_, "Pictures: what the best configuration does", tuple(blocks))

    def _data(self, data: DataSummary) -> Section:
        id_ = f"{self.prefix}data"
        items = [("Source", data.source)]
        items += [
            (capital(key.replace("_", " ")), plain(value))
            for key, value in data.settings.items()
            if key in SHOWN_SETTINGS and value is not None
        ]
        if data.sizes:
            items.append(
                ("Images", ", ".join(f"{n} {PARTS.get(part, part)}" for part, n in data.sizes.items()))
            )
        split = data.settings.get("split")
        if isinstance(split, dict):
            items.append(("Split", ", ".join(f"{key} {plain(value)}" for key, value in split.items())))
        items.append(("Preprocessing", steps_text(data.settings.get("preprocess"))))
        items += [(f"External: {name}", text) for name, text in data.external.items()]
        items.append(("Data hash", _hashes(data.data_hashes)))
        items.append(("Split hashes", _hashes(data.split_hashes)))
        items.append(("Duplicates across parts", _duplicates(data)))
        table = tables.classes_table(data, f"{id_}-classes")
        return Section(id_, "Data", _present((Text(items=tuple(items)), table)))

    def _failures(self) -> Section:
        id_ = f"{self.prefix}failures"
        table = tables.failures_table(self.summary.failures, f"{id_}-table")
        return Section(
            id_, "Failures", (table,) if table else (Text(("Every run that was not pruned gave a score.",)),)
        )

    def _provenance(self) -> Section:
        found, id_ = self.summary.provenance, f"{self.prefix}provenance"
        blocks: tuple[Block | None, ...] = (
            Text(items=found.facts),
            Text(title="To run it again", code="\n".join(found.commands)),
            Text(code=found.spec_yaml, fold="The specification as it was resolved, defaults included")
            if found.spec_yaml
            else None,
        )
        return Section(id_, "Provenance", _present(blocks))


SHOWN_SETTINGS = ("image_size", "channels", "limit", "name", "path", "images", "labels", "part", "seed")


def _hashes(hashes: Iterable[str]) -> str:
    """Return the beginnings of hashes, which tell them apart; the store holds them whole."""
    return ", ".join(hash_[:12] for hash_ in hashes) or "not recorded"


def _duplicates(data: DataSummary) -> str:
    if data.duplicates is None:
        return "not recorded"
    if not data.duplicates:
        return "none found"
    shown = "; ".join(f"{a} = {b}" for a, b in data.duplicates[:10])
    more = len(data.duplicates) - 10
    return f"{len(data.duplicates)}: {shown}" + (f"; and {more} more" if more > 0 else "")


def _present(blocks: Iterable[Block | None]) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block is not None)


def _asset(name: str) -> Markup:
    """Return a file of ours to be embedded as it is."""
    return Markup((resources.files("pokeopt.report") / "templates" / name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pokeopt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    environment.tests["table"] = lambda block: isinstance(block, Table)
    return environment
