"""Store -> Summary: everything that the report will say, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pokeopt.report.checks import run_checks
from pokeopt.report.claims import verdict_counts
from pokeopt.report.confirm import summarise_confirm
from pokeopt.report.dataset import summarise_data
from pokeopt.report.evaluations import summarise_evaluations
from pokeopt.report.finding import finding
from pokeopt.report.pictures import summarise_pictures
from pokeopt.report.provenance import failures, provenance
from pokeopt.report.replay_stopping import replay_stopping
from pokeopt.report.search import summarise_search
from pokeopt.report.summary import AblationSummary, SearchSummary, StudySummary, Summary
from pokeopt.report.words import duration, joined, plural
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

ABLATION_SUFFIX = ".ablation"


def summarise(store: Store, names: str | Sequence[str]) -> Summary:
    """Return the summary of studies; NAME includes NAME.ablation where there is one.

    Raises:
        UserError: If no study is called so.
    """
    asked = [names] if isinstance(names, str) else list(names)
    wanted = [store.newest(name) for name in dict.fromkeys(asked)]
    known = set(store.names())
    shown = [
        name
        for name in wanted
        if not (name.endswith(ABLATION_SUFFIX) and name.removesuffix(ABLATION_SUFFIX) in wanted)
    ]
    views = [_views(store, name, known) for name in shown]
    studies = [_summarise_study(store, name, own) for name, own in zip(shown, views, strict=True)]
    arm_names: list[dict[str, str]] = [
        {arm.id: arm.label for arm in one.ablation.arms} if one.ablation is not None else {}
        for one in studies
    ]
    pictures = summarise_pictures(store, views, arm_names)
    return Summary(tuple(replace(one, galleries=own) for one, own in zip(studies, pictures, strict=True)))


def _views(store: Store, name: str, known: set[str]) -> list[StudyView]:
    """Return a study and, behind it, its ablation where there is one."""
    ablation = f"{name}{ABLATION_SUFFIX}"
    return [store.load(name), *([store.load(ablation)] if ablation in known else [])]


def _summarise_study(store: Store, name: str, views: Sequence[StudyView]) -> StudySummary:
    searches = [view for view in views if view.kind != "confirm"]
    confirms = [view for view in views if view.kind == "confirm"]
    search = summarise_search(store, searches[0]) if searches else None
    ablation = summarise_confirm(store, confirms[0]) if confirms else None
    return StudySummary(
        name=name,
        title=name
        if ablation is not None and ablation.plan is not None
        else str(views[0].spec.get("name") or name),
        finding=finding(search, ablation),
        costs=_costs(views, search, ablation),
        search=search,
        ablation=ablation,
        data=summarise_data(store, views),
        failures=failures(views),
        provenance=provenance(views),
        checks=run_checks(store, views),
        evaluations=tuple(one for view in views for one in summarise_evaluations(store, view)),
        replays=tuple(replay for view in views if (replay := replay_stopping(view)) is not None),
    )


def _costs(
    views: Sequence[StudyView], search: SearchSummary | None, ablation: AblationSummary | None
) -> tuple[tuple[str, str], ...]:
    """Return what it took: runs by state, training time, time on the clock."""
    costs = []
    if ablation is not None:
        done = ablation.n_cells - len(ablation.holes)
        arms = plural(len(ablation.arms), "arm")
        cells = (
            f"{done} of {ablation.n_cells} cells complete: {arms}, {plural(len(ablation.seeds), 'seed')} each"
        )
        costs.append(("Confirmed on", cells))
        effects = [arm for arm in ablation.arms if arm.effect is not None]
        if effects and not (ablation.plan is not None and ablation.plan.is_quick):
            settled = sum(arm.is_settled for arm in effects)
            costs.insert(0, ("Effects", f"{settled} settled, {len(effects) - settled} not settled"))
        if ablation.verdicts:
            words = verdict_counts(ablation.verdicts)
            costs.insert(0, ("Verdicts", ", ".join(f"{n} {word}" for word, n in words)))
    if search is not None:
        states = joined(
            f"{n} {state}" for state, n in sorted(search.states.items(), key=lambda s: (-s[1], s[0]))
        )
        costs.append(
            ("Searched by", f"{plural(sum(search.states.values()), 'trial')}: {states}" if states else "–")
        )
    compute = [(s.compute_s, s.study) for s in (search, ablation) if s is not None and s.compute_s]
    if compute:
        devices = sorted(
            {str(row.attrs["device"]) for view in views for row in view.trials if row.attrs.get("device")}
        )
        on = f" on {joined(devices)}" if devices else ""
        costs.append(
            ("Training time", f"{duration(sum(seconds for seconds, _ in compute))}{on}, all runs added up")
        )
    begun = [row.started for view in views for row in view.trials if row.started]
    ended = [row.ended for view in views for row in view.trials if row.ended]
    if begun and ended:
        costs.append(("First start to last end", duration((max(ended) - min(begun)).total_seconds())))
    return tuple(costs)
