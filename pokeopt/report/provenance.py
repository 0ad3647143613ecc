"""What one needs to run a study again, and what it ran on."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pokeopt.report.summary import Failure, Provenance
from pokeopt.report.words import plain
from pokeopt.store import StudyView, TrialRow

ROW_FACTS = (
    ("code_version", "code"),
    ("device", "device"),
    ("precision", "precision"),
    ("threads", "threads a trial"),
    ("host", "host"),
    ("data_hash", "data hash"),
    ("split_hash", "split hash"),
)
MOST_VALUES = 6
WIDTH = 88  # of a line of commands


def provenance(views: Sequence[StudyView]) -> Provenance:
    """Return the resolved specification, the command that runs it again, and the facts of its runs."""
    first = views[0]
    return Provenance(
        spec_yaml=spec_yaml(_elsewhere(first.spec)) if first.spec else "",
        commands=_commands(views),
        facts=tuple(_facts(views)),
    )


def failures(views: Sequence[StudyView]) -> tuple[Failure, ...]:
    """Return every counted row that gave no score for another reason than the pruner."""
    return tuple(
        Failure(
            study=view.name,
            number=row.number,
            what=f"{row.arm_id}, seed {row.seed}" if row.arm_id is not None else "",
            state=row.shown_state,
            cause=row.stop_cause.value if row.stop_cause else "",
            message=_message(row),
        )
        for view in views
        for row in view.counted
        if row.shown_state in ("failed", "diverged", "out of memory", "too slow")
    )


def spec_yaml(spec: Mapping[str, Any]) -> str:
    """Return a resolved specification as YAML text."""
    from ruamel.yaml import YAML

    yaml, text = YAML(), io.StringIO()
    yaml.default_flow_style = False
    yaml.width = 100
    yaml.dump(json.loads(json.dumps(spec)), text)
    return text.getvalue()


def _message(row: TrialRow) -> str:
    """Return the last line of an error, which names it; a traceback's other lines say where."""
    lines = [line for line in str(row.attrs.get("error", "")).splitlines() if line.strip()]
    kind = str(row.attrs.get("error_type", ""))
    last = lines[-1].strip() if lines else ""
    return last if not kind or kind in last else f"{kind}: {last}".rstrip(": ")


def _commands(views: Sequence[StudyView]) -> tuple[str, ...]:
    first = views[0]
    if (plan := first.attrs.get("plan")) is not None:
        seeds = first.attrs.get("seeds", ())
        words = ["pokeopt", "ablate", _file(plan["path"]), *plan.get("options", ())]
        if list(seeds) != list(plan["seeds"]) and list(seeds) == list(range(len(seeds))):
            words += ["--seeds", str(len(seeds))]
        return (shlex.join(words),)
    parent = str(first.attrs.get("parent") or first.name)
    path = first.spec.get("path")
    return (f"pokeopt run {shlex.quote(_file(path))} --name {shlex.quote(parent)}",) if path else ()


def report_command(names: Sequence[str]) -> str:
    """Return the one command that makes a page of these studies, broken into lines that a shell joins again.

    >>> print(report_command(["mlp", "my cnn"]))
    pokeopt report mlp 'my cnn'
    """
    lines = ["pokeopt report"]
    for name in names:
        word = shlex.quote(name)
        if len(lines[-1]) + len(word) > WIDTH:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def _elsewhere(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification whose own path is one that a reader may have, too."""
    return {**spec, "path": _file(spec["path"])} if spec.get("path") else dict(spec)


def _file(path: Any) -> str:
    """Return a file below its folders: where the clone lies is the reader's business."""
    parts = PurePath(str(path)).parts
    depth = 3 if "studies" in parts[-3:-2] else 2
    return "/".join(parts[-depth:])


def _facts(views: Sequence[StudyView]) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for view in views:
        started = f", started {view.created:%Y-%m-%d %H:%M}" if view.created else ""
        facts.append((f"study {view.name}", f"{view.kind}, {len(view.counted)} rows{started}"))
    search = views[0].spec.get("search") or {}
    if "seed" in search:
        facts.append(("search seed", str(search["seed"])))
    seeds = next((view.attrs["seeds"] for view in views if view.attrs.get("seeds")), None)
    if seeds is not None:
        facts.append(("ablation seeds", ", ".join(str(seed) for seed in seeds)))
    for key, title in ROW_FACTS:
        if values := sorted(
            {plain(row.attrs[key]) for view in views for row in view.counted if key in row.attrs}
        ):
            more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
            facts.append((title, ", ".join(values[:MOST_VALUES]) + more))
    for view in views:
        for key in ("versions", "hardware"):
            found = view.attrs.get(key)
            if isinstance(found, Mapping):
                facts += [(str(name), plain(value)) for name, value in sorted(found.items())]
            elif found:
                facts.append((key, plain(found)))
        if view.attrs.get("versions"):
            break
    return facts
