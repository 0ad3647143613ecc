"""Two studies side by side: what they set, what they scored, and what of it an interval backs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pokeopt.ablation import Level, holm
from pokeopt.ablation.predicates import FEWEST_SEEDS
from pokeopt.errors import UserError
from pokeopt.records import TrialState
from pokeopt.report.differences import Difference, by_network, difference
from pokeopt.report.plan import test_share
from pokeopt.report.predictions import read_predictions
from pokeopt.report.summarise import ABLATION_SUFFIX, summarise
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.report.summary import AblationSummary, ArmSummary, SearchSummary, StudySummary
    from pokeopt.store import Store

NO_SETTING = ("name", "path", "resources", "tracking")  # who it is and where it ran, not what was measured
ALPHA = 0.05
Draws = dict[int, tuple[str, str]]


@dataclass(frozen=True)
class Side:
    """One of the two studies.

    Attributes:
        kind: ``search`` or ``confirm``; a search's own ablation is part of it.
        metric: The first objective of the search, else the primary metric of the ablation.
        states: Rows by state, of the search if there is one.
        best: Number of the search's best trial.
        best_value: Its objective, on which it was chosen.
        test_metric: The same metric on the locked test part; ``test_value`` is the best trial's score there.
        best_params: The best trial's parameters.
        compute_s: Training time of all runs.
        seeds: Of its ablation's cells.
    """

    name: str
    kind: str
    metric: str
    states: Mapping[str, int]
    best: int | None
    best_value: float | None
    test_metric: str
    test_value: float | None
    best_params: Mapping[str, Any]
    compute_s: float
    seeds: tuple[int, ...]
    data_hash: str
    code_version: str


@dataclass(frozen=True)
class ArmPair:
    """An arm of the one study beside the arm of the other that is the same configuration, or has the same name.

    Attributes:
        is_same: Whether the resolved configurations are equal.
        difference: Second study minus first.
        p_holm: Adjusted over all pairs of this comparison.
        is_settled: The interval excludes zero, the adjusted p is below 0.05, and either side has three runs.
    """

    ids: tuple[str, str]
    label: str
    is_same: bool
    levels: tuple[Level, Level]
    difference: Difference
    p_holm: float | None = None
    is_settled: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether both studies have the same score at every common seed."""
        return self.difference.is_paired and self.difference.mean == 0 and self.difference.sd == 0


@dataclass(frozen=True)
class Comparison:
    """Two studies, A and B; every difference is B minus A.

    Attributes:
        settings: Key to the two resolved values, where they differ.
        metric: What arms are compared on; empty where the studies' metrics differ.
        bests: Score of the networks of the two best trials on the test part, where each has several.
        warnings: What makes the two less comparable than they look, one sentence each.
        finding: What can be said, and no more.
    """

    sides: tuple[Side, Side]
    settings: Mapping[str, tuple[Any, Any]]
    metric: str
    direction: str
    arms: tuple[ArmPair, ...]
    unmatched: tuple[tuple[str, ...], tuple[str, ...]]
    bests: Difference | None
    warnings: tuple[str, ...]
    finding: tuple[str, ...]

    def as_json(self) -> str:
        """Return it as JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1, default=str)


def compare(store: Store, first: str, second: str) -> Comparison:
    """Compare two studies; NAME includes NAME.ablation where there is one.

    Raises:
        UserError: If a study is not there, or both are the same.
    """
    views = store.load(first), store.load(second)
    parents = [view.name.removesuffix(ABLATION_SUFFIX) for view in views]
    if views[0].name == views[1].name:
        raise UserError(views[0].name, "it is the same study twice", "name two studies; see pokeopt list")
    if parents[0] == parents[1]:
        what = f"{parents[0]}{ABLATION_SUFFIX} is a part of {parents[0]}"
        raise UserError(parents[0], what, f"see pokeopt report {parents[0]}, or name another study")
    return compare_studies(store, *summarise(store, [view.name for view in views]).studies)


def compare_studies(store: Store, a: StudySummary, b: StudySummary) -> Comparison:
    """Compare two studies by their summaries."""
    from pokeopt.report.compared import finding_of, warnings_of

    views = store.load(a.name, exact=True), store.load(b.name, exact=True)
    sides = _side(a, views[0]), _side(b, views[1])
    confirms = a.ablation, b.ablation
    metric, direction = "", ""
    pairs: tuple[ArmPair, ...] = ()
    unmatched: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    if confirms[0] is not None and confirms[1] is not None and confirms[0].metric == confirms[1].metric:
        metric, direction = confirms[0].metric, confirms[0].direction
        pairs, unmatched = _pairs(store, confirms[0], confirms[1])
    found = Comparison(
        sides=sides,
        settings=dict(_different(views[0].spec, views[1].spec)),
        metric=metric,
        direction=direction or (a.search.directions[0] if a.search else ""),
        arms=pairs,
        unmatched=unmatched,
        bests=_bests(store, a.search, b.search),
        warnings=(),
        finding=(),
    )
    found = dataclasses.replace(found, warnings=warnings_of(found, confirms))
    return dataclasses.replace(found, finding=finding_of(found))


def _side(study: StudySummary, view: StudyView) -> Side:
    search, ablation = study.search, study.ablation
    best = search.trial(search.best) if search else None
    objective = search.metrics[0] if search else (ablation.metric if ablation else "")
    on_test = f"test/{objective.partition('/')[2]}"
    codes = sorted({str(row.attrs["code_version"]) for row in view.counted if row.attrs.get("code_version")})
    hashes = sorted({str(row.attrs["data_hash"]) for row in view.counted if row.attrs.get("data_hash")})
    return Side(
        name=study.name,
        kind=view.kind,
        metric=objective,
        states=search.states if search else ablation.states if ablation else {},
        best=best.number if best else None,
        best_value=best.values[0] if best and best.values else None,
        test_metric=on_test,
        test_value=best.parts.get("test") if best else None,
        best_params=best.params if best else {},
        compute_s=sum(part.compute_s for part in (search, ablation) if part is not None),
        seeds=ablation.seeds if ablation else (),
        data_hash=", ".join(hash_[:12] for hash_ in hashes),
        code_version=", ".join(codes),
    )


def _pairs(
    store: Store, a: AblationSummary, b: AblationSummary
) -> tuple[tuple[ArmPair, ...], tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pair arms by configuration, then by id, and compare each pair; the left-over ids beside them."""
    views = store.load(a.study, exact=True), store.load(b.study, exact=True)
    shares = test_share(views[0]), test_share(views[1])
    hashes = [{arm["id"]: arm["config_hash"] for arm in view.attrs.get("arms") or ()} for view in views]
    left = {arm.id: arm for arm in b.arms if arm.same_as is None}
    pairs, alone = [], []
    for arm in (arm for arm in a.arms if arm.same_as is None):
        hash_ = hashes[0].get(arm.id)
        twin = next((id_ for id_ in left if hash_ is not None and hashes[1].get(id_) == hash_), None)
        other = left.pop(twin or arm.id, None)
        if other is None:
            alone.append(arm.id)
            continue
        draws = _draws(views[0], hashes[0].get(arm.id)), _draws(views[1], hashes[1].get(other.id))
        has_pairs = _are_pairs(*draws, otherwise=twin is not None)
        found = difference(arm.scores, other.scores, is_paired=has_pairs, test_shares=shares)
        pairs.append(_pair(arm, other, found, is_same=twin is not None))
    adjusted = holm([pair.difference.p for pair in pairs])
    settled = tuple(
        dataclasses.replace(pair, p_holm=p, is_settled=_is_settled(pair.difference, p))
        for pair, p in zip(pairs, adjusted, strict=True)
    )
    return settled, (tuple(alone), tuple(left))


def _is_settled(found: Difference, p_holm: float | None) -> bool:
    has_runs = min(found.n) >= FEWEST_SEEDS
    return has_runs and found.excludes_zero and p_holm is not None and p_holm < ALPHA


def _pair(a: ArmSummary, b: ArmSummary, found: Difference, *, is_same: bool) -> ArmPair:
    label = a.label if a.id == b.id else f"{a.label} | {b.label}"
    return ArmPair((a.id, b.id), label, is_same, (a.level, b.level), found)


def _are_pairs(a: Draws, b: Draws, *, otherwise: bool) -> bool:
    """Whether two arms drew the same data at every seed that both have; ``otherwise`` where it was not recorded.

    Without a common seed there is nothing to pair, however alike the configurations are.
    """
    common = a.keys() & b.keys()
    if not common:
        return False
    known = [(a[seed], b[seed]) for seed in common if all(a[seed]) and all(b[seed])]
    return all(first == second for first, second in known) if known else otherwise


def _draws(view: StudyView, config_hash: str | None) -> Draws:
    """Return seed to the hashes of an arm's data and split, empty where none was recorded."""
    rows: Sequence[TrialRow] = [
        row
        for row in view.counted
        if row.state is TrialState.COMPLETE and row.attrs.get("config_hash") == config_hash
    ]
    return {
        row.seed: (str(row.attrs.get("data_hash", "")), str(row.attrs.get("split_hash", "")))
        for row in rows
        if row.seed is not None
    }


def _bests(store: Store, a: SearchSummary | None, b: SearchSummary | None) -> Difference | None:
    """Compare the best trials' networks on the test part; None unless both trials trained several."""
    if a is None or b is None or a.best is None or b.best is None or a.metrics[0] != b.metrics[0]:
        return None
    name = a.metrics[0].partition("/")[2]
    scores = []
    for search, number in ((a, a.best), (b, b.best)):
        found = read_predictions(store, search.study, number)
        scores.append(by_network(found, "test", name) if found is not None else {})
    if min(len(scores[0]), len(scores[1])) < 2:
        return None
    return difference(scores[0], scores[1], is_paired=False)


def _different(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the dotted keys of two resolved specifications whose values differ."""
    old, new = dict(_leaves(a)), dict(_leaves(b))
    for key in [*old, *(key for key in new if key not in old)]:
        is_free = any(key == free or key.startswith(f"{free}.") for free in NO_SETTING)
        if not is_free and old.get(key) != new.get(key):
            yield key, (old.get(key), new.get(key))


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, list(tree) if isinstance(tree, tuple) else tree
