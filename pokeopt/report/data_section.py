"""The section on the data: where the images are from, how many of which class, what naming one class would score."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from pokeopt.report import tables
from pokeopt.report.blocks import Section, Text, present
from pokeopt.report.dataset import steps_text
from pokeopt.report.summary import DataSummary, StudySummary
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
    return dataclasses.replace(data, settings=settings, external={}, split_hashes=(), data_hashes=())


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
    return Section(id_, title, present((Text(items=tuple(items)), table)), entry=entry)


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
