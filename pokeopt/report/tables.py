"""The report's tables: arms, external scores, classes, holes, trials, failures, data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from pokeopt.ablation import Level
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.blocks import Cell, Column, Table, cells, simple_table
from pokeopt.report.effects import styles
from pokeopt.report.summary import (
    AblationSummary,
    ArmSummary,
    DataSummary,
    Failure,
    SearchSummary,
    TrialSummary,
)
from pokeopt.report.svg import marker, tag
from pokeopt.report.words import (
    ABSENT,
    PARTS,
    capital,
    duration,
    effect_text,
    level_text,
    metric_name,
    number,
    p_value,
    plain,
    quantity,
)


def arms_table(ablation: AblationSummary, id_: str) -> Table:
    """Return the ablation table, the baseline first."""
    metric = metric_name(ablation.metric)
    columns = (
        Column("Level", is_number=False),
        Column("Mean ± SD", note=f"{metric}, over seeds"),
        Column("Difference [95 % CI]", note="from the reference at equal seeds; paired t interval"),
        Column("Seeds", note="runs behind the mean"),
        Column("p (Holm)", note="paired t test, adjusted over all comparisons of this study"),
        Column("p (sign flip)", note="exact; its smallest value with n seeds is 2 / 2^n"),
        Column("d_z", note="mean over SD of the paired differences"),
        Column("Parameters"),
        Column("s/epoch"),
        Column("Total time", note="training time of all its seeds"),
    )
    look = styles(ablation.arms)
    rows = tuple(_arm_row(arm, ablation, look[arm.id]) for arm in ablation.arms)
    shared = [arm for arm in ablation.arms if arm.same_as]
    notes = [
        f"“{arm.label}” is the same configuration as “{arm.same_as}” and shares its runs." for arm in shared
    ]
    if any(arm.reference == BEST for arm in ablation.arms):
        notes.append("Arms without a factor are compared with the best, all others with the baseline.")
    if ablation.n_superseded:
        notes.append(f"{ablation.n_superseded} runs of earlier arms are superseded and not shown.")
    how = "Each seed redraws train and validation; the test part is one and the same, so all is conditional on it."
    if ablation.resample == "none":
        how = "All seeds share one split, so all is conditional on it."
    return Table(id_, f"{capital(metric)} by arm. {how}", columns, rows, note=" ".join(notes))


def parts_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return each arm's score on validation, test and every external set; each column says which."""
    if len(ablation.parts) < 2:
        return None
    name = metric_name(ablation.metric).split(" ", 1)[-1]
    columns = (Column("Level", is_number=False), *(Column(PARTS.get(part, part)) for part in ablation.parts))
    look = styles(ablation.arms)
    rows = tuple(
        cells(_arm_name(arm, look[arm.id]), *(_level(arm.parts.get(part)) for part in ablation.parts))
        for arm in ablation.arms
    )
    caption = f"{capital(name)}, mean ± SD over seeds, by the set that it was measured on."
    return Table(id_, caption, columns, rows)


def class_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return F1 by class: support, every arm's mean, and what the best changes."""
    if not ablation.classes or not any(arm.class_f1 for arm in ablation.arms):
        return None
    arms = [arm for arm in ablation.arms if arm.class_f1 and not arm.same_as]
    has_effect = any(entry.effect.n for entry in ablation.classes) and ablation.arm(BEST) is not None
    columns = (
        Column("Class", is_number=False),
        Column(f"{capital(ablation.part)} images", note="support: few images make an uncertain F1"),
        *(Column(_two_lines(arm.label)) for arm in arms),
        *((Column("Best − baseline [95 % CI]"),) if has_effect else ()),
    )
    rows = tuple(
        cells(
            entry.name,
            Cell(str(entry.support) if entry.support is not None else ABSENT, entry.support),
            *(_level(arm.class_f1.get(entry.name)) for arm in arms),
            *((Cell(effect_text(entry.effect), entry.effect.mean),) if has_effect else ()),
        )
        for entry in ablation.classes
    )
    caption = f"F1 by class on the {ablation.part} part, mean ± SD over seeds. Intervals are not corrected over classes."
    return Table(id_, caption, columns, rows, is_sortable=True)


def holes_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return the declared cells that have no result."""
    rows = [[hole.arm_id, str(hole.seed), hole.state, hole.cause, hole.message] for hole in ablation.holes]
    titles = ["Arm", "Seed", "State", "Cause", "Message"]
    caption = "Cells without a result; means and intervals above rest on the others."
    return simple_table(id_, caption, titles, rows, text_columns=5) if rows else None


def best_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the parameters in which the best trial differs from the baseline; all of them where there is
    none.
    """
    best, baseline = search.trial(search.best), search.trial(search.baseline)
    if best is None:
        return None
    if baseline is None:
        rows = [[name, plain(value)] for name, value in best.params.items()]
        return simple_table(id_, f"Parameters of trial {best.number}.", ["Parameter", "Best"], rows)
    rows = [[name, plain(pair[0]), plain(pair[1])] for name, pair in search.changed.items()]
    caption = f"Where trial {best.number} differs from the baseline (trial {baseline.number})."
    if not rows:
        caption = f"Trial {best.number} differs from the baseline in no parameter."
    return simple_table(id_, caption, ["Parameter", "Baseline", "Best"], rows)


def best_parts_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the scores of the best and the baseline trial on every set."""
    found = [("baseline", search.trial(search.baseline)), ("best", search.trial(search.best))]
    trials = [(name, trial) for name, trial in found if trial is not None and trial.parts]
    if not trials or not search.parts:
        return None
    name = metric_name(search.metrics[0]).split(" ", 1)[-1]
    rows = [
        [f"trial {trial.number} ({role})", *(number(trial.parts.get(part)) for part in search.parts)]
        for role, trial in trials
    ]
    titles = ["Trial", *(PARTS.get(part, part) for part in search.parts)]
    runs = "one run each" if search.n_seeds == 1 else f"means of {search.n_seeds} networks"
    return simple_table(id_, f"{capital(name)} by the set that it was measured on; {runs}.", titles, rows)


def trials_table(search: SearchSummary, id_: str) -> Table:
    """Return every trial that counts, with its end and its parameters."""
    names = list(dict.fromkeys(name for trial in search.trials for name in trial.params))
    shown = {name: {trial.params.get(name) for trial in search.trials} for name in names}
    columns = (
        Column("Trial", is_number=False),
        Column("State", is_number=False),
        Column("Cause", is_number=False),
        Column("Rung", note="epoch at which a pruner stopped it"),
        *(Column(metric_name(metric)) for metric in search.metrics),
        *((Column("test"),) if "test" in search.parts else ()),
        Column("Epochs"),
        Column("Time"),
        *(Column(name, is_number=all(_is_number(value) for value in shown[name])) for name in names),
    )
    rows = tuple(_trial_row(trial, search, names) for trial in search.trials)
    caption = "All trials; those that a retry replaced are left out. A value in brackets is a stopped trial's last, no score."
    return Table(id_, caption, columns, rows, is_sortable=True)


def failures_table(failures: Sequence[Failure], id_: str) -> Table | None:
    """Return what went wrong."""
    rows = [[f"{f.study} #{f.number}", f.what, f.state, f.cause, f.message] for f in failures]
    titles = ["Trial", "Arm and seed", "State", "Cause", "Message"]
    return simple_table(id_, "Runs without a score, and why.", titles, rows, text_columns=5) if rows else None


def classes_table(data: DataSummary, id_: str) -> Table | None:
    """Return images by class and part, each with its share."""
    parts = [part for part in data.parts if part in data.counts]
    if not data.classes or not parts:
        return None
    totals = [sum(data.counts[part][i] for part in parts) for i in range(len(data.classes))]
    everything, most = max(1, sum(totals)), max([1, *totals])
    columns = (
        Column("Class", is_number=False),
        *(Column(PARTS.get(part, part)) for part in parts),
        Column("Together"),
        Column("Share"),
        Column("", is_number=False),
    )
    rows = [
        cells(
            name,
            *(Cell(str(data.counts[part][i]), data.counts[part][i]) for part in parts),
            Cell(str(total), total),
            Cell(f"{100 * total / everything:.1f} %", total),
            Cell(_bar(total / most)),
        )
        for i, (name, total) in enumerate(zip(data.classes, totals, strict=True))
    ]
    sums = [str(sum(data.counts[part])) for part in parts]
    rows.append(tuple(Cell(text, look="sum") for text in ("All", *sums, str(sum(totals)), "", "")))
    return Table(id_, "Images by class and part.", columns, tuple(rows))


def _arm_row(arm: ArmSummary, ablation: AblationSummary, look: tuple[str, str]) -> tuple[Cell, ...]:
    effect = arm.effect
    difference = "reference" if arm.id == BASELINE else effect_text(effect) if effect else ABSENT
    n = f"{arm.level.n}" if arm.level.n == len(ablation.seeds) else f"{arm.level.n} of {len(ablation.seeds)}"
    return cells(
        _arm_name(arm, look),
        _level(arm.level),
        Cell(difference, look="" if arm.id == BASELINE or arm.is_settled else "unsettled"),
        n,
        p_value(arm.p_holm) if effect else "",
        p_value(effect.p_sign_flip) if effect else "",
        number(effect.d_z, 2, sign=True) if effect else "",
        quantity(arm.n_params),
        number(arm.s_per_epoch, 2),
        duration(arm.total_s),
    )


def _arm_name(arm: ArmSummary, look: tuple[str, str]) -> Cell:
    colour, shape = look
    mark = tag(
        "svg",
        marker(shape, 7, 7, f"{colour} dot"),
        width=14,
        height=14,
        viewBox="0 0 14 14",
        aria_hidden="true",
    )
    changed = "; ".join(f"{key}: {plain(a)} → {plain(b)}" for key, (a, b) in arm.changes.items())
    name = tag("span", _two_lines(arm.label), title=changed or None)
    return Cell(mark + name, look="arm")


def _two_lines(label: str) -> Markup:
    """Return ``key = value`` as key over value."""
    key, _, value = label.partition(" = ")
    return tag("span", key, tag("br"), value, class_="pair") if value else tag("span", key)


def _level(level: Level | None) -> Cell:
    return Cell(level_text(level), level.mean) if level is not None and level.n else Cell(ABSENT)


def _trial_row(trial: TrialSummary, search: SearchSummary, names: Iterable[str]) -> tuple[Cell, ...]:
    role = " best" if trial.number == search.best else " baseline" if trial.is_baseline else ""
    values = list(trial.values) + [None] * (len(search.metrics) - len(trial.values))
    is_score = trial.state == "complete"
    epochs = str(trial.epochs_run) if trial.epochs_run is not None else ABSENT
    return cells(
        Cell(f"{trial.number}{role}", trial.number, look="best" if "best" in role else ""),
        trial.state + (", on the front" if trial.is_on_front else ""),
        trial.cause,
        Cell(str(trial.rung) if trial.rung is not None else "", trial.rung),
        *(
            Cell(number(v) if is_score or v is None else f"({number(v)})", v, "" if is_score else "unsettled")
            for v in values
        ),
        *((_optional(trial.parts.get("test")),) if "test" in search.parts else ()),
        Cell(epochs, trial.epochs_run),
        Cell(duration(trial.wall_s), trial.wall_s),
        *(_param(trial.params.get(name)) for name in names),
    )


def _optional(value: float | None) -> Cell:
    return Cell("" if value is None else number(value), value)


def _param(value: object) -> Cell:
    return Cell(
        "" if value is None else plain(value),
        float(value) if _is_number(value) and value is not None else None,
    )  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _bar(share: float) -> Markup:
    box = tag("rect", x=0, y=2, width=max(1.0, 120 * share), height=10, class_="bar")
    return tag("svg", box, width=120, height=14, viewBox="0 0 120 14", aria_hidden="true")
