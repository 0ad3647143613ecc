"""Every rule over every study."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pokeopt.report.checks.base import Check, Rule, registered
from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.checks.gather import gather, muted
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

MODULES = ("choosing", "images", "training", "logged", "arms")
ORDER = {"issue": 0, "tip": 1}


def rules() -> Mapping[str, Rule]:
    """Return every rule by its code."""
    for module in MODULES:
        importlib.import_module(f"pokeopt.report.checks.{module}")
    return registered()


def check_evidence(evidence: Evidence) -> tuple[Check, ...]:
    """Return what is wrong in one study: issues, tips, then what is muted; by code within each."""
    found = [check for rule in rules().values() for check in rule.apply(evidence)]
    return _sorted(found)


def run_checks(store: Store, views: Sequence[StudyView]) -> tuple[Check, ...]:
    """Return what is wrong with a study and its ablation; a fault that both have is said once.

    What is muted for one of them is muted for both.
    """
    mute = {code: reason for view in views for code, reason in muted(view).items()}
    found = [check for view in views for check in check_evidence(replace(gather(store, view), mute=mute))]
    once = {(check.code, check.says): check for check in reversed(found)}
    return _sorted([check for check in found if once[check.code, check.says] is check])


def _sorted(found: Iterable[Check]) -> tuple[Check, ...]:
    return tuple(sorted(found, key=lambda check: (bool(check.muted), ORDER[check.level], check.code)))
