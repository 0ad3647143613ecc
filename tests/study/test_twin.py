"""The pruning twin decides as the pruner would in a plain Optuna study."""

from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pokeopt.records import TrialState
from pokeopt.registry import PRUNERS
from pokeopt.study.pruners.members import build_pruner
from pokeopt.study.twin import STUDY_NAME, PruningTwin

MAX_EPOCHS = 9
SETTINGS: dict[str, dict[str, Any]] = {
    "threshold": {"threshold": {"lower": 0.2}},
    "patient": {"patient": {"pruner": "median", "patience": 1}},
}
CURVES = st.lists(
    st.lists(st.floats(0, 1), min_size=MAX_EPOCHS, max_size=MAX_EPOCHS), min_size=1, max_size=12
)


def a_pruner(name: str) -> optuna.pruners.BasePruner:
    return build_pruner(PRUNERS.make(SETTINGS.get(name, name)), MAX_EPOCHS)


def in_plain_optuna(name: str, curves: list[list[float]]) -> list[int]:
    """Return the step at which each curve is stopped, MAX_EPOCHS + 1 where it is not."""
    study = optuna.create_study(study_name=STUDY_NAME, direction="maximize", pruner=a_pruner(name))
    stops = []
    for curve in curves:
        trial = study.ask()
        stop = MAX_EPOCHS + 1
        for step, value in enumerate(curve, start=1):
            trial.report(value, step)
            if trial.should_prune() and step < MAX_EPOCHS:
                stop = step
                break
        state = optuna.trial.TrialState.PRUNED if stop <= MAX_EPOCHS else optuna.trial.TrialState.COMPLETE
        study.tell(trial, max(curve) if stop > MAX_EPOCHS else None, state=state)
        stops.append(stop)
    return stops


def in_twin(twin: PruningTwin, curves: list[list[float]], first: int = 0) -> list[int]:
    stops = []
    for proposal, curve in enumerate(curves, start=first):
        stop = MAX_EPOCHS + 1
        for step, value in enumerate(curve, start=1):
            if twin.should_stop(proposal, step, value) and step < MAX_EPOCHS:
                stop = step
                break
        is_pruned = stop <= MAX_EPOCHS
        twin.end(proposal, TrialState.PRUNED if is_pruned else TrialState.COMPLETE, max(curve))
        stops.append(stop)
    return stops


@pytest.mark.parametrize("name", [name for name in PRUNERS.names() if name != "wilcoxon"])
@given(curves=CURVES)
@settings(max_examples=25, deadline=None)
def test_decides_as_plain_optuna(name: str, curves: list[list[float]]) -> None:
    assert in_twin(PruningTwin(a_pruner(name), "maximize"), curves) == in_plain_optuna(name, curves)


@pytest.mark.parametrize("name", [name for name in PRUNERS.names() if name != "wilcoxon"])
@given(curves=CURVES, data=st.data())
@settings(max_examples=25, deadline=None)
def test_rebuilt_from_records_it_decides_the_same(
    name: str, curves: list[list[float]], data: st.DataObject
) -> None:
    """A driver that died takes no rung and no bracket with it."""
    cut = data.draw(st.integers(0, len(curves)))
    whole = PruningTwin(a_pruner(name), "maximize")
    expected = in_twin(whole, curves)
    rebuilt = PruningTwin(a_pruner(name), "maximize")
    for proposal, (curve, stop) in enumerate(zip(curves[:cut], expected[:cut], strict=True)):
        rebuilt.replay(proposal, dict(enumerate(curve[:stop], start=1)))
        is_pruned = stop <= MAX_EPOCHS
        rebuilt.end(proposal, TrialState.PRUNED if is_pruned else TrialState.COMPLETE, max(curve))
    assert in_twin(rebuilt, curves[cut:], first=cut) == expected[cut:]


def test_a_step_told_twice_never_stops() -> None:
    """A retry repeats steps; the first telling has decided."""
    twin = PruningTwin(a_pruner("threshold"), "maximize")
    assert twin.should_stop(0, 1, 0.1)
    assert not twin.should_stop(0, 1, 0.1)
