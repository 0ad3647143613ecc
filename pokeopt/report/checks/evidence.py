"""What checks look at: plain values of one study, whether a store holds it or a document tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pokeopt.spec.params import Param

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Run:
    """One training, as one log tells it.

    Attributes:
        name: As a sentence calls it: ``arm crop, seed 3``. Two logs of one training share it.
        arm: Its arm; empty where there are none.
        log: Who tells it, where several do.
        metrics: PART/NAME[/CLASS] to the value that was logged.
        names: PART/NAME to the name that the log has for it, where that is another.
        recomputed: PART/NAME to the value that stored predictions give.
        sizes: Part to the number of its images.
        n_networks: Networks whose mean the metrics are.
        wall_s: Seconds of training.
        learning_rates: One an epoch.
        curve: The objective after each epoch, or of the last epochs where only those are told.
        stopping: The stopping rule's name, and its settings.
        stopped_early: Whether that rule ended it.
        gpu_util_pct: Mean utilisation of the GPU; None without one.
        unregistered: Tensors that ask for a gradient and that the optimizer does not know.
        no_gradient: Parameters that the optimizer knows and whose gradient was absent or zero.
    """

    name: str
    arm: str = ""
    log: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    recomputed: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    n_networks: int = 1
    wall_s: float | None = None
    learning_rates: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    stopping: tuple[str, Mapping[str, Any]] | None = None
    stopped_early: bool = False
    gpu_util_pct: float | None = None
    unregistered: tuple[str, ...] = ()
    no_gradient: tuple[str, ...] = ()

    def called(self, metric: str) -> str:
        """Return what the log calls a metric."""
        return self.names.get(metric, metric)


@dataclass(frozen=True)
class ArmFacts:
    """One arm as it was declared and as it ran.

    Attributes:
        changes: Declared keys that differ from the reference.
        config: The configuration that ran; empty where none did.
        reference: The arm that it is compared with; empty for a reference.
        is_path: Whether several changes at once are its purpose.
    """

    id: str
    changes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    n_params: float | None = None
    reference: str = ""
    is_path: bool = False


@dataclass(frozen=True)
class Ending:
    """How one trial or cell ended: its levels by key, and whether it gave a score."""

    levels: Mapping[str, str]
    is_complete: bool


@dataclass(frozen=True)
class Evidence:
    """Everything of one study that a check may look at; what is not known is left empty, and no check speaks of it.

    Attributes:
        study: Its name.
        metric: What its arms are scored by, PART/NAME; of the locked part where there is one.
        selected_on: Metrics by which something was chosen.
        chosen: The arm that was chosen in the end.
        compared: Metrics by which arms are compared.
        runs: Trainings whose logs, curves and predictions were read.
        arms: Declared arms, reference first.
        counts: Part to class to images.
        duplicates: Pairs of equal images in different parts; None where nobody looked.
        preprocess: Arm to part to its preparation, in words; ``train`` among the parts. A search has one arm, "".
        probes: External sets that are the test part in another preparation: they differ on purpose.
        axes: Searched numeric leaves.
        best: The best trial's values.
        endings: Of every trial or cell that ended.
        seeds: Pairs with the reference that each arm has; empty where arms have no seeds.
        is_quick: A smoke run.
        mute: Code to the reason for muting it.
    """

    study: str
    kind: Literal["search", "confirm", "document"]
    metric: str
    direction: str = "maximize"
    selected_on: tuple[str, ...] = ()
    chosen: str = ""
    compared: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    arms: tuple[ArmFacts, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    duplicates: Pairs | None = None
    preprocess: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    probes: frozenset[str] = frozenset()
    axes: tuple[Param, ...] = ()
    best: Mapping[str, Any] = field(default_factory=dict)
    endings: tuple[Ending, ...] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)
    is_quick: bool = False
    mute: Mapping[str, str] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 where larger is better, else -1."""
        return 1 if self.direction == "maximize" else -1

    def means(self, metric: str) -> dict[str, float]:
        """Return arm to the mean of a metric over its runs, in the order of the runs."""
        found: dict[str, list[float]] = {}
        for run in self.runs:
            value = run.recomputed.get(metric, run.metrics.get(metric))
            if value is not None:
                found.setdefault(run.arm or run.name, []).append(value)
        return {arm: sum(values) / len(values) for arm, values in found.items()}

    def external(self, name: str) -> list[str]:
        """Return the parts besides train, val, test and the scored one on which a metric was measured, in order."""
        measured = dict.fromkeys(key for run in self.runs for key in (*run.metrics, *run.recomputed))
        parts = [key.partition("/")[0] for key in measured if _base(key) == name]
        own = ("train", "val", "test", self.metric.partition("/")[0])
        return [part for part in dict.fromkeys(parts) if part not in own]


def _base(metric: str) -> str:
    return metric.partition("/")[2]


def decimals(value: float) -> int:
    """Return how many decimals a number was written with.

    >>> decimals(0.253), decimals(43.0), decimals(1e-06)
    (3, 0, 6)
    """
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def agree(left: float, right: float) -> bool:
    """Whether two numbers are one to the digits of the less precise.

    >>> agree(2345.5000965595245, 2345.5), agree(42.8, 43.0), agree(42.8, 39.1)
    (True, True, False)
    """
    digits = min(decimals(left), decimals(right))
    return abs(left - right) <= 0.5 * 10.0**-digits * (1 + 1e-9)
