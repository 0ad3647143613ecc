"""What ``ablate`` says at its end: each study's arms and verdicts, and the next commands to copy."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.cli.output import print_facts, say
from pokeopt.cli.summary import ablation_as_plain, print_effects
from pokeopt.cli.words import duration, plural
from pokeopt.report.confirm import summarise_confirm

if TYPE_CHECKING:
    from pokeopt.api import AblateResult
    from pokeopt.store import Store


def print_ablated(result: AblateResult, store: Store, elapsed_s: float, typed: Sequence[str]) -> None:
    """Print the end of ``ablate``.

    Args:
        result: What ``api.ablate`` returned.
        store: Where it is stored.
        elapsed_s: Seconds that this command took.
        typed: The words of this command, which goes on if it is given again.
    """
    for view in result.views:
        say()
        print_effects(summarise_confirm(store, view))
    say()
    say(
        f"{plural(len(result.views), 'study').replace('studys', 'studies')}; this command took {duration(elapsed_s)}"
    )
    if result.message and result.exit_code != 1:
        say(result.message)
    for note in result.notes:
        say(f"note: {note}")
    say()
    facts = {"report": str(result.report_path)} if result.report_path else {}
    address = str(
        store.file.relative_to(Path.cwd())
        if store.file and store.file.is_relative_to(Path.cwd())
        else store.url
    )
    print_facts({**facts, "store": address, **result.tracked})
    if result.stopped_by is not None or result.message:
        say()
        say(f"  {shlex.join(['pokeopt', *typed])}")


def ablated_as_plain(result: AblateResult, store: Store) -> dict[str, Any]:
    """Return the result as JSON values."""
    return {
        "studies": [ablation_as_plain(summarise_confirm(store, view)) for view in result.views],
        "n_holes": result.n_holes,
        "report": result.report_path,
        "stopped_by": result.stopped_by,
        "message": result.message,
        "notes": list(result.notes),
        "tracked": dict(result.tracked),
        "exit_code": result.exit_code,
    }
