"""The exploratory section: how the search went, what it saw, what it suggests. No effect stands here."""

from __future__ import annotations

from pokeopt.report import (
    coverage_figures,
    importance_figures,
    map_figures,
    search_figures,
    trial_tables,
    trials,
)
from pokeopt.report.blocks import Block, Section, Text, headed, present
from pokeopt.report.summary import SearchSummary
from pokeopt.report.words import joined, metric_name, plural

EXPLORATORY = (
    "Exploratory: trials were chosen by a sampler, some were pruned. No effect may be read from this section."
)


def search_section(search: SearchSummary, prefix: str, *, several: bool) -> Section:
    """Return the section of one search."""
    id_ = f"{prefix}search"
    how = f"{search.sampler or 'unknown'} sampler, {search.pruner or 'no'} pruner"
    budget = f", {plural(search.budget, 'trial')} asked for" if search.budget else ""
    objective = joined(
        f"{metric_name(m)} ({d})" for m, d in zip(search.metrics, search.directions, strict=True)
    )
    intro = f"Study {search.study}: {how}{budget}. Objective: {objective}."
    if len(search.metrics) > 1:
        intro += (
            " Importances, maps and distributions look at the first objective; the front at the first two."
        )
    if search.best is None:
        intro += " No trial completed, so there is no best one."
    blocks: tuple[Block | None, ...] = (
        Text((intro,)),
        trial_tables.best_table(search, f"{id_}-best"),
        trial_tables.best_parts_table(search, f"{id_}-parts"),
        trials.front(search, f"{id_}-front"),
        trials.history(search, f"{id_}-history"),
        search_figures.timeline(search, f"{id_}-timeline"),
        trials.curves(search, f"{id_}-curves"),
        search_figures.rungs_table(search, f"{id_}-rungs"),
        search_figures.early_table(search, f"{id_}-early"),
        search_figures.distribution(search, f"{id_}-distribution"),
        coverage_figures.coverage(search, f"{id_}-coverage"),
        coverage_figures.parallel(search, f"{id_}-parallel"),
        importance_figures.importance(search, f"{id_}-importance"),
        importance_figures.local(search, f"{id_}-local"),
        importance_figures.pairs_table(search, f"{id_}-pairs"),
        map_figures.maps(search, f"{id_}-maps"),
        trial_tables.trials_table(search, f"{id_}-trials") if search.trials else None,
    )
    title = headed("Search: how the best was found", search.study, several=several)
    return Section(id_, title, present(blocks), EXPLORATORY)
