"""What a check is: a fault that is found in evidence, why it matters, and how to reduce it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.words import joined

Severity = Literal["issue", "tip"]


@dataclass(frozen=True)
class Check:
    """One fault that was found.

    Attributes:
        code: ``PK01`` and on.
        level: An ``issue`` makes a number wrong or unsafe to read; a ``tip`` says what would make it say more.
        where: Study, arm and part that it is about.
        says: One sentence with the numbers.
        why: Why it matters.
        mend: How to reduce it.
        muted: The reason why the study's author does not mind; empty where it counts.
    """

    code: str
    level: Severity
    where: str
    says: str
    why: str
    mend: str
    muted: str = ""


@dataclass(frozen=True)
class Finding:
    """What a rule found in one study.

    Attributes:
        says: One sentence with the numbers.
        where: What within the study; empty for all of it.
        level: Another severity than the rule's own.
    """

    says: str
    where: str = ""
    level: Severity | None = None


Find = Callable[[Evidence], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A coded check.

    Attributes:
        title: What it looks for, in a few words.
        find: The evidence of one study to what is wrong there.
    """

    code: str
    title: str
    level: Severity
    why: str
    mend: str
    find: Find

    def apply(self, evidence: Evidence) -> list[Check]:
        """Return what this rule finds in one study."""
        return [
            Check(
                code=self.code,
                level=found.level or self.level,
                where=f"{evidence.study}, {found.where}" if found.where else evidence.study,
                says=found.says,
                why=self.why,
                mend=self.mend,
                muted=evidence.mute.get(self.code, ""),
            )
            for found in self.find(evidence)
        ]


def named(items: Sequence[str], most: int = 3) -> str:
    """Return the first few as a sentence lists them, and how many more there are.

    >>> named(["a", "b"]), named(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    more = len(items) - most
    return f"{', '.join(items[:most])} and {more} more" if more > 0 else joined(items)


_RULES: dict[str, Rule] = {}


def rule(code: str, title: str, level: Severity, *, why: str, mend: str) -> Callable[[Find], Find]:
    """Register the decorated function as the check of that code."""

    def register(find: Find) -> Find:
        if code in _RULES:
            raise ValueError(f"two checks are called {code}")
        _RULES[code] = Rule(code, title, level, why, mend, find)
        return find

    return register


def registered() -> Mapping[str, Rule]:
    """Return the rules of the modules that were imported, by code."""
    return dict(sorted(_RULES.items()))
