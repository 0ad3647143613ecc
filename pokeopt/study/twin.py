"""The pruning twin: an in-memory study with one row per proposal, which the pruner reads instead of the storage.

Optuna's pruners know one objective only, compare all rows of a study and key Hyperband's bracket by the trial number.
The twin gives them what they should see: retries continue the row that they replace (its rungs included), the
number is the proposal, and with several objectives the row holds the metric that prunes. It is rebuilt from the
records at any time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import optuna
from optuna.pruners import BasePruner
from optuna.trial import TrialState as OptunaState

from pokeopt.records import TrialState

STUDY_NAME = "pokeopt"  # Hyperband hashes it with the number: one fixed name, one fixed order of brackets
RUNG_PREFIX = "completed_rung_"


class PruningTwin:
    """Decides whether a proposal should stop.

    Args:
        pruner: One of Optuna's.
        direction: "maximize" or "minimize" for the metric that prunes.
    """

    def __init__(self, pruner: BasePruner, direction: str) -> None:
        self.pruner = pruner
        way: Literal["maximize", "minimize"] = "maximize" if direction == "maximize" else "minimize"
        self.study = optuna.create_study(
            study_name=STUDY_NAME,
            direction=way,
            sampler=optuna.samplers.RandomSampler(seed=0),
            pruner=pruner,
        )
        self._trials: dict[int, optuna.Trial] = {}
        self._last_step: dict[int, int] = {}
        self._ended: set[int] = set()

    def replay(self, proposal: int, curve: Mapping[int, float]) -> None:
        """Enter the steps that are not there yet; rung marks are made, verdicts are not asked for."""
        for step, value in sorted(curve.items()):
            self.should_stop(proposal, step, value)

    def should_stop(self, proposal: int, step: int, value: float) -> bool:
        """Enter one report and return the pruner's verdict; an old step changes nothing and never stops."""
        if step <= self._last_step.get(proposal, -1) or proposal in self._ended or not math.isfinite(value):
            return False
        trial = self._row(proposal)
        trial.report(value, step)
        self._last_step[proposal] = step
        return trial.should_prune()

    def end(self, proposal: int, state: TrialState, value: float | None) -> None:
        """Enter how a proposal ended."""
        if proposal in self._ended:
            return
        trial = self._row(proposal)
        told = value if state is TrialState.COMPLETE else None
        if state is TrialState.COMPLETE and told is None:
            return
        self.study.tell(trial, told, state=OptunaState[state.value])
        self._ended.add(proposal)

    def rung(self, proposal: int) -> int | None:
        """Return how many rungs the proposal has reached, None where the pruner has no rungs."""
        if proposal not in self._trials:
            return None
        attrs = self.study._storage.get_trial_system_attrs(self._trials[proposal]._trial_id)
        rungs = [key for key in attrs if key.startswith(RUNG_PREFIX)]
        return len(rungs) if rungs else None

    def _row(self, proposal: int) -> optuna.Trial:
        while len(self._trials) <= proposal:  # numbers are given in order: fill up to the one wanted
            self._trials[len(self._trials)] = self.study.ask()
        return self._trials[proposal]
