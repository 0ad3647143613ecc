"""Summary -> the sections of the page, in reading order; every format is drawn from this one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pokeopt.report import (
    claims,
    data_section,
    effects,
    generative,
    interaction_section,
    lessons,
    shift_section,
    study_section,
    tables,
)
from pokeopt.report.audit import audit_section
from pokeopt.report.blocks import Block, Section, Text, headed, present
from pokeopt.report.checks.section import checks_section
from pokeopt.report.compared import comparison_section
from pokeopt.report.cost_section import cost_section
from pokeopt.report.pictures import gallery_blocks
from pokeopt.report.search_section import search_section
from pokeopt.report.summary import Provenance, StudySummary, Summary


def sections_of(summary: Summary) -> list[Section]:
    """Return the sections: claims, checks, data, studies, paths, shift, pictures, cost, search, failures, provenance.

    Ids are unique on the page: those of the second study begin with ``s1-``.
    """
    found = summary.studies
    numbered = [(f"s{i}-" if i else "", study_) for i, study_ in enumerate(found)]
    several = len(found) > 1
    sections: list[Section | None] = [comparison_section(summary.comparison) if summary.comparison else None]
    sections.append(claims.claims_section(summary))
    sections.append(checks_section(check for one in found for check in one.checks))
    sections += data_section.data_sections(found)
    sections += [study_section.study_section(one, prefix, several=several) for prefix, one in numbered]
    sections += [interaction_section.section(one, prefix, several=several) for prefix, one in numbered]
    sections += [shift_section.section(one, prefix, several=several) for prefix, one in numbered]
    sections += [generative.section(one, prefix, several=several) for prefix, one in numbered]
    sections += [_pictures(one, prefix, several=several) for prefix, one in numbered]
    sections += [cost_section(one, prefix, several=several) for prefix, one in numbered]
    sections += [
        search_section(one.search, prefix, several=several) for prefix, one in numbered if one.search
    ]
    sections.append(_failures(found))
    sections.append(
        audit_section(one.ablation.plan.document for one in found if one.ablation and one.ablation.plan)
    )
    sections.append(_provenance([one.provenance for one in found], [one.title for one in found]))
    return [section for section in sections if section is not None]


def _pictures(found: StudySummary, prefix: str, *, several: bool) -> Section | None:
    if not found.galleries:
        return None
    id_ = f"{prefix}pictures"
    look = effects.styles(found.ablation.arms) if found.ablation else {}
    blocks = [
        block
        for i, gallery in enumerate(found.galleries)
        for block in gallery_blocks(gallery, f"{id_}-{i}", look)
    ]
    is_plan = found.ablation is not None and found.ablation.plan is not None
    heading = "Pictures: what the arms do" if is_plan else "Pictures: what the best configuration does"
    return Section(id_, headed(heading, found.title, several=several), tuple(blocks))


def _failures(found: Sequence[StudySummary]) -> Section:
    failures = [failure for one in found for failure in one.failures]
    table = tables.failures_table(failures, "failures-table")
    blocks: Iterable[Block | None] = (
        table or Text(("Every run that was not pruned gave a score.",)),
        *lessons.lessons(found),
    )
    return Section("failures", "Failures", present(blocks))


def _provenance(found: Sequence[Provenance], titles: Sequence[str]) -> Section:
    blocks: list[Block | None] = []
    commands = list(dict.fromkeys(command for one in found for command in one.commands))
    for title, one in zip(titles, found, strict=True):
        blocks.append(Text(items=one.facts, title=title if len(found) > 1 else ""))
        if one.spec_yaml:
            fold = "The specification as it was resolved, defaults included"
            blocks.append(Text(code=one.spec_yaml, fold=fold))
    blocks.append(Text(title="To run it again", code="\n".join(commands)))
    return Section("provenance", "Provenance", present(blocks))
