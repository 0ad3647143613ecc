"""The section on the data: where the images are from, how many of which class, what naming one class would score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pokeopt.report import tables
from pokeopt.report.blocks import Cell, Column, Section, Table, Text, present
from pokeopt.report.dataset import steps_text
from pokeopt.report.summary import DataSummary, Drawn, StudySummary
from pokeopt.report.words import PARTS, capital, joined, number, plain

SHOWN_SETTINGS = ("image_size", "channels", "limit", "name", "path", "images", "labels", "part", "seed")


def data_sections(studies: Sequence[StudySummary]) -> list[Section]:
    """Return one section for every set of images; studies on the same images share it."""
    groups: list[tuple[int, DataSummary, list[StudySummary]]] = []
    for i, study in enumerate(studies):
        if study.data is None:
            continue
        same = next((group for group in groups if _images(group[1]) == _images(study.data)), None)
        if same is None:
            groups.append((i, study.data, [study]))
        else:
            same[2].append(study)
    return [_section(i, data, members, several=len(groups) > 1) for i, data, members in groups]


def _images(data: DataSummary) -> DataSummary:
    """Return what two studies on the same images have in common."""
    settings = {key: value for key, value in data.settings.items() if key not in ("preprocess", "image_size")}
    return replace(data, settings=settings, external={}, split_hashes=(), data_hashes=(), drawn=())


def _section(i: int, data: DataSummary, members: Sequence[StudySummary], *, several: bool) -> Section:
    id_ = f"s{i}-data" if i else "data"
    items = [("Source", data.source)]
    items += [
        (capital(key.replace("_", " ")), plain(value))
        for key, value in data.settings.items()
        if key in SHOWN_SETTINGS and value is not None
    ]
    if data.sizes:
        shown = ", ".join(f"{n} {PARTS.get(part, part)}" for part, n in data.sizes.items())
        items.append(("Images", shown))
    items += _class_facts(data)
    split = data.settings.get("split")
    if isinstance(split, Mapping):
        items.append(("Split", ", ".join(f"{key} {plain(value)}" for key, value in split.items())))
    items += _preprocessing(members)
    external = {
        name: text for member in members if member.data for name, text in member.data.external.items()
    }
    items += [(f"External: {name}", text) for name, text in external.items()]
    items.append(("Data hash", _hashes(h for m in members if m.data for h in m.data.data_hashes)))
    items.append(("Split hashes", _hashes(h for m in members if m.data for h in m.data.split_hashes)))
    items.append(("Duplicates across parts", _duplicates(data)))
    table = tables.classes_table(data, f"{id_}-classes")
    title = f"Data: {joined(member.title for member in members)}" if several else "Data"
    entry = "Data" if not several else f"Data of {members[0].title}"
    drawn = {one.sampler: one for m in reversed(members) if m.data for one in m.data.drawn}
    balancing = balancing_table(data, [drawn[sampler] for sampler in sorted(drawn)], f"{id_}-balancing")
    return Section(id_, title, present((Text(items=tuple(items)), table, balancing)), entry=entry)


def balancing_table(data: DataSummary, drawn: Sequence[Drawn], id_: str) -> Table | None:
    """Return the training images of each class as they are and as each sampler draws them in an epoch."""
    there = data.counts.get("train")
    if not drawn or not there:
        return None
    columns = (
        Column("Class", is_number=False),
        Column("As they are"),
        *(Column(one.sampler) for one in drawn),
    )
    rows = [
        (Cell(name), Cell(str(there[i]), there[i]), *(_draws(one.drawn[i], one.distinct[i]) for one in drawn))
        for i, name in enumerate(data.classes)
    ]
    every = sum(there)
    rows.append(
        (
            Cell("All", look="sum"),
            Cell(str(every), look="sum"),
            *(replace(_draws(sum(one.drawn), sum(one.distinct)), look="sum") for one in drawn),
        )
    )
    unused = [f"{100 * (1 - sum(one.distinct) / every):.0f} % with {one.sampler}" for one in drawn]
    caption = (
        "Training images by class before and after balancing, in the first epoch of one run; in brackets the different "
        f"images among those drawn. The epoch leaves out {joined(unused)}; which ones, each epoch draws anew."
    )
    return Table(id_, caption, columns, tuple(rows))


def _draws(drawn: int, distinct: int) -> Cell:
    return Cell(f"{drawn} ({distinct})" if distinct < drawn else str(drawn), drawn)


def _preprocessing(members: Sequence[StudySummary]) -> list[tuple[str, str]]:
    """Return each way in which the images are prepared, with the studies that do so where they differ."""
    ways: dict[str, list[str]] = {}
    for member in members:
        if member.data is not None:
            ways.setdefault(steps_text(member.data.settings.get("preprocess")), []).append(member.title)
    if len(ways) == 1:
        return [("Preprocessing", next(iter(ways)))]
    return [("Preprocessing", f"{way} ({joined(titles)})") for way, titles in ways.items()]


def _class_facts(data: DataSummary) -> list[tuple[str, str]]:
    """Return how unequal the classes are, and what always naming the largest of the training part would score."""
    totals = [sum(data.counts[part][i] for part in data.counts) for i in range(len(data.classes))]
    if len(totals) < 2 or min(totals) <= 0 or data.task != "classification":
        return []
    facts = [("Largest to smallest class", f"{number(max(totals) / min(totals), 2)} to 1")]
    part = "test" if "test" in data.counts else next(iter(data.counts))
    counts, known = data.counts[part], data.counts.get("train") or data.counts[part]
    largest = max(range(len(known)), key=lambda i: known[i])
    share = counts[largest] / sum(counts) if sum(counts) else 0.0
    if share:
        text = f"accuracy {number(share)}, macro-F1 {number(2 * share / (1 + share) / len(totals))}"
        where = f"always {data.classes[largest]}, on the {PARTS.get(part, part)} part"
        facts.append(("Naming the largest class", f"{text} ({where})"))
    return facts


def _hashes(hashes: Iterable[str]) -> str:
    """Return the beginnings of hashes, which tell them apart; the store holds them whole."""
    return ", ".join(hash_[:12] for hash_ in sorted(set(hashes))) or "not recorded"


def _duplicates(data: DataSummary) -> str:
    if data.duplicates is None:
        return "not recorded"
    if not data.duplicates:
        return "none found"
    shown = "; ".join(f"{a} = {b}" for a, b in data.duplicates[:10])
    more = len(data.duplicates) - 10
    return f"{len(data.duplicates)}: {shown}" + (f"; and {more} more" if more > 0 else "")
