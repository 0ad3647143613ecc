"""One axis of the search space, and when it exists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pokeopt.errors import SpecError
from pokeopt.registry import nearest
from pokeopt.spec.nodes import Scalar, show

Kind = Literal["int", "float", "categorical"]


class Suggesting(Protocol):
    """What is asked for values: an Optuna trial, or anything like it."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer in [low, high]."""
        ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number in [low, high]."""
        ...

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of the choices."""
        ...


def same(left: Any, right: Any) -> bool:
    """Whether two values are one: 1 is 1.0, but true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a leaf to exist: the leaf at ``path`` exists and has one of ``values``, or is above ``above``.

    Attributes:
        above: Set for the layers of a ``per`` key: layer i exists while its counter is above i.
    """

    path: str
    values: tuple[Scalar, ...] = ()
    above: int | None = None

    def holds(self, value: Any) -> bool:
        """Whether an existing leaf of this value meets the condition."""
        if self.above is not None:
            return bool(value > self.above)
        return any(same(value, one) for one in self.values)


@dataclass(frozen=True, slots=True)
class Param:
    """One searched leaf; both ends of a range are included.

    Attributes:
        path: Its name in Optuna, ``--set``, ``baseline`` and ``when``.
        log: Drawn uniformly in ln(value), as suits learning rates.
        step: Distance of two neighbours; None is 1 for whole numbers and none for real ones.
        choices: Stored values of a categorical one: scalars, component names, labels.
        when: All must hold for the leaf to exist.
    """

    path: str
    kind: Kind
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None
    choices: tuple[Scalar, ...] = ()
    when: tuple[Condition, ...] = ()

    def suggest(self, trial: Suggesting) -> Scalar:
        """Ask the trial for a value."""
        if self.kind == "categorical":
            choice: Scalar = trial.suggest_categorical(self.path, list(self.choices))
            return choice
        if self.kind == "int":
            step = int(self.step or 1)
            return int(trial.suggest_int(self.path, int(self.low), int(self.high), step=step, log=self.log))
        return float(trial.suggest_float(self.path, self.low, self.high, step=self.step, log=self.log))

    def check(self, value: Any) -> Scalar:
        """Return the value as it is stored.

        Raises:
            SpecError: If it is not in the range or among the choices.
        """
        if self.kind == "categorical":
            for choice in self.choices:
                if same(choice, value):
                    return choice
            raise self._misfit(value, self._choice_near(value))
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._misfit(value, "give a number")
        if self.kind == "int" and value != int(value):
            raise self._misfit(value, "give a whole number")
        if not self.low <= value <= self.high:
            raise self._misfit(value, f"give a value in {self}, or widen the range")
        if self.step is not None and not _divides(self.step, value - self.low):
            raise self._misfit(value, f"give a value in {self}")
        return int(value) if self.kind == "int" else float(value)

    def ends(self) -> tuple[Scalar, ...]:
        """Return the values that a check of the whole range needs to try."""
        if self.kind == "categorical":
            return self.choices
        return (int(self.low), int(self.high)) if self.kind == "int" else (self.low, self.high)

    def __str__(self) -> str:
        """Describe the range.

        >>> str(Param("model.depth", "int", 1, 4)), str(Param("keep", "categorical", choices=("best", "last")))
        ('[1, 4]', 'best | last')
        """
        if self.kind == "categorical":
            return " | ".join(map(_text, self.choices))
        step = f" in steps of {self.step:g}" if self.step is not None else ""
        ends = self.ends()
        return f"[{ends[0]}, {ends[1]}]{step}"

    def _choice_near(self, value: Any) -> str:
        """Return the mend of a value that is no choice; one of another type may look the same."""
        alike = next((choice for choice in self.choices if _text(choice) == str(value)), None)
        if alike is None or type(alike) is type(value):
            return nearest(str(value), map(_text, self.choices))
        return (
            f"write '{alike}', in quotes"
            if isinstance(alike, str)
            else f"write {_text(alike)}, without quotes"
        )

    def _misfit(self, value: Any, mend: str) -> SpecError:
        what = (
            f"{show(value)} is not in {self}"
            if self.kind != "categorical"
            else f"{show(value)} is no choice here"
        )
        return SpecError(self.path, what, mend)


def _text(choice: Scalar) -> str:
    return choice if isinstance(choice, str) else show(choice)


def _divides(step: float, distance: float) -> bool:
    return math.isclose(distance / step, round(distance / step), abs_tol=1e-8)
