"""Whether a file still describes the study of its name.

What the first launch stored stays the study's truth. Later launches may change how much and how fast (trials, timeouts,
resources, ablation, tracking, mute), never what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pokeopt.errors import IdentityError
from pokeopt.spec import StudySpec

MAY_CHANGE = ("name", "path", "search.trials", "resources", "ablation", "tracking", "mute")
MOST_SHOWN = 6


def check_identity(name: str, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise IdentityError with each key, old -> new, if a resolved spec describes another experiment.

    Args:
        name: The study.
        stored: What its first launch stored.
        wanted: What the file says now; ``auto`` agrees with whatever was stored.
    """
    changes = list(differences(stored, wanted))
    if not changes:
        return
    shown = "; ".join(f"{key}: {_plain(old)} -> {_plain(new)}" for key, old, new in changes[:MOST_SHOWN])
    more = f"; and {len(changes) - MOST_SHOWN} more" if len(changes) > MOST_SHOWN else ""
    mend = f"undo the change, or give --name NEW (and --warm-start {name} to try its best), or --fresh to start anew"
    raise IdentityError(f"study {name}", f"the file is not the one it was started with: {shown}{more}", mend)


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted key, old, new) for what differs and may not."""
    old, new = dict(_leaves(stored)), dict(_leaves(wanted))
    for key in [*old, *(key for key in new if key not in old)]:
        is_free = any(key == free or key.startswith(f"{free}.") for free in MAY_CHANGE)
        if is_free or new.get(key) == "auto" or old.get(key) == new.get(key):
            continue
        yield key, old.get(key), new.get(key)


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, list(tree) if isinstance(tree, tuple) else tree


def _plain(value: Any) -> str:
    return "(absent)" if value is None else str(value)


def check_data(name: str, stored: str | None, found: str) -> None:
    """Raise IdentityError if the images or labels are not those that the study was started on."""
    if stored is not None and stored != found:
        what = f"its images or labels have changed since it was started (hash {stored[:10]} -> {found[:10]})"
        mend = f"restore them, or give --name NEW (and --warm-start {name} to try its best), or --fresh"
        raise IdentityError(f"study {name}", what, mend)


def settle_precision(spec: StudySpec, precision: str) -> StudySpec:
    """Return the study with ``training.precision: auto`` replaced by what this launch's device makes of it.

    A later launch, on whatever device, then goes on with the same arithmetic.
    """
    tree = spec.resolved()
    training = tree["training"]
    is_open = False
    for section in training["choice"].values() if "choice" in training else [training]:
        if section["precision"] == "auto":
            section["precision"], is_open = precision, True
    return replace(StudySpec.from_resolved(tree), places=spec.places) if is_open else spec


def merged(stored: Mapping[str, Any], wanted: StudySpec) -> StudySpec:
    """Return the stored study with what a later launch may change taken from the file."""
    now = wanted.resolved()
    tree = {**stored, **{key: now[key] for key in MAY_CHANGE if "." not in key and key in now}}
    tree["search"] = {**stored["search"], "trials": now["search"]["trials"]}
    return replace(StudySpec.from_resolved(tree), places=wanted.places)
