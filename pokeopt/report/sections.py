"""Summary -> the sections of the page, in reading order; every format is drawn from this one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pokeopt.report import (
    claims,
    data_section,
    gallery,
    generative,
    interaction_section,
    lessons,
    shift_section,
    study_section,
    tables,
)
from pokeopt.report.audit import audit_section
from pokeopt.report.blocks import Block, Section, Text, present
from pokeopt.report.checks.section import checks_section
from pokeopt.report.compared import comparison_section
from pokeopt.report.cost_section import cost_section
from pokeopt.report.glossary import glossary
from pokeopt.report.provenance import report_command
from pokeopt.report.search_section import search_section
from pokeopt.report.summary import StudySummary, Summary


def sections_of(summary: Summary) -> list[Section]:
    """Return the sections: claims, checks, data, each study with its parts, search, failures, audit, words,
    provenance.

    Of a search's confirm study the parts are sections of their own. Ids are unique on the page: those of the second
    study begin with ``s1-``.
    """
    found = summary.studies
    numbered = [(f"s{i}-" if i else "", study_) for i, study_ in enumerate(found)]
    several = len(found) > 1
    sections: list[Section | None] = [comparison_section(summary.comparison) if summary.comparison else None]
    sections.append(claims.claims_section(summary))
    sections.append(checks_section([(one.title, one.checks) for one in found]))
    sections += data_section.data_sections(found)
    places = gallery.places_of(numbered)
    for prefix, one in numbered:
        sections += _study(one, prefix, places, several=several)
    sections += [
        search_section(one.search, prefix, several=several) for prefix, one in numbered if one.search
    ]
    sections.append(_failures(found))
    sections.append(
        audit_section(one.ablation.plan.document for one in found if one.ablation and one.ablation.plan)
    )
    present_ = [section for section in sections if section is not None]
    words = glossary(summary, present_)
    provenance = _provenance(found)
    return [*present_, *([words] if words else []), provenance]


def _study(study: StudySummary, prefix: str, places: gallery.Places, *, several: bool) -> list[Section]:
    """Return what is said of one study; a plan's is one section with parts, so that plans are read one by one."""
    own = study_section.study_section(study, prefix, several=several)
    of_plan = own is not None and study.ablation is not None and study.ablation.plan is not None
    named = several and not of_plan  # a part stands under its study's name already
    others = (
        interaction_section.section(study, prefix, several=named),
        shift_section.section(study, prefix, several=named),
        generative.section(study, prefix, several=named),
        gallery.section(study, prefix, places, several=named),
        cost_section(study, prefix, several=named),
    )
    parts = tuple(part for part in others if part is not None)
    if own is not None and of_plan:
        return [replace(own, parts=parts)]
    return [*([own] if own else []), *parts]


def _failures(found: Sequence[StudySummary]) -> Section:
    failures = [failure for one in found for failure in one.failures]
    table = tables.failures_table(failures, "failures-table")
    blocks: Iterable[Block | None] = (
        table or Text((_all_scored(found),)),
        *lessons.lessons(found),
    )
    return Section("failures", "Failures", present(blocks))


def _all_scored(found: Sequence[StudySummary]) -> str:
    """Say that nothing failed; of studies without a search, which prune nothing, with the number of their runs."""
    if any(one.search is not None or one.ablation is None for one in found):
        return "Every run that was not pruned gave a score."
    states = [one.ablation.states for one in found if one.ablation]
    n_runs, n_all = sum(one.get("complete", 0) for one in states), sum(sum(one.values()) for one in states)
    if n_runs < n_all or not n_runs:
        return "Every run that has ended gave a score."
    return f"All {n_runs} runs gave a score." if n_runs > 1 else "The one run gave a score."


def _provenance(studies: Sequence[StudySummary]) -> Section:
    blocks: list[Block | None] = []
    commands = list(dict.fromkeys(command for study in studies for command in study.provenance.commands))
    for study in studies:
        one = study.provenance
        blocks.append(Text(items=one.facts, title=study.title if len(studies) > 1 else ""))
        if one.spec_yaml:
            fold = "The specification as it was resolved, defaults included"
            blocks.append(Text(code=one.spec_yaml, fold=fold))
    commands.append(report_command([study.name for study in studies]))
    blocks.append(Text(title="To run it again", code="\n".join(commands)))
    return Section("provenance", "Provenance", present(blocks))
