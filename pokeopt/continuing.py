"""What comes back to trials that have ended: train the best for longer, run one again, as functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.api import RunResult, result_of, write_report

if TYPE_CHECKING:
    from pokeopt.study.head_starts import Continuation
    from pokeopt.study.launch import Watch
    from pokeopt.study.replaying import Replay

TOP = 5


@dataclass(frozen=True)
class ExtendResult:
    """What ``extend`` leaves behind.

    Attributes:
        run: The extension as a search: its view, its report, how it ended.
        parent: The search whose trials were trained for longer.
        continuations: How each of its trials went on, in the order of its rows.
    """

    run: RunResult
    parent: str
    continuations: tuple[Continuation, ...]


def extend(
    name: str,
    *,
    epochs: int,
    top: int = TOP,
    timeout_s: float | None = None,
    workers: int | str | None = None,
    gpus_per_trial: float | str | None = None,
    storage: str | None = None,
    home: Path | str | None = None,
    ray_address: str | None = None,
    report: bool = True,
    watch: Watch | None = None,
    reports_dir: Path | str = "reports",
) -> ExtendResult:
    """Train the best trials of a search for longer, as new trials of ``NAME.eEPOCHS``; what is there is not run again.

    A trial goes on from its checkpoint where that gives what training it so long from the start would have given;
    else it is trained from the start, and the result says why.

    Args:
        name: The search.
        epochs: The new budget: epochs in all, not more epochs.
        top: How many of its best trials.

    The other arguments are those of ``run``.

    Raises:
        UserError: If there is nothing to extend or the data have changed; nothing is written then.
    """
    from pokeopt.store import open_store
    from pokeopt.study.ablations import Placing
    from pokeopt.study.extending import check_parent_data, continuations, open_extension, plan_extension
    from pokeopt.study.facts import distinct_data, prepare_configs
    from pokeopt.study.launch import drive, new_launch, placement_of
    from pokeopt.study.stopping import stop_signals
    from pokeopt.tracking import open_trackers

    began = time.monotonic()
    store = open_store(storage, home)
    wanted = plan_extension(store, name, top, epochs, Placing(workers, gpus_per_trial).of)
    trackers = open_trackers(wanted.spec.tracking, store.home)
    with stop_signals() as signals, ExitStack() as stack:
        stack.push(trackers.after_error)
        facts = prepare_configs(distinct_data(wanted.configs()), store)
        check_parent_data(wanted.parent, facts["data_hash"])
        deadline = began + timeout_s if timeout_s is not None else None
        launch = new_launch(placement_of(wanted.spec), store, signals, watch, deadline, ray_address)
        launch.listen = trackers.listen
        stack.callback(launch.lease.release)
        stack.enter_context(launch.stack)
        outcome = drive(open_extension(wanted, facts, launch), launch)
    view = store.load(wanted.name, exact=True)
    path = None
    if report and view.complete and not view.states().get("running"):
        path = write_report(store, [wanted.name], Path(reports_dir) / f"{wanted.name}.html")
        trackers.report((wanted.name,), path)
    result = result_of(wanted.name, view, None, path, outcome, signals.received)
    lost = trackers.close(is_hasty=signals.received is not None)
    result = replace(result, notes=(*result.notes, *lost), tracked=trackers.where())
    return ExtendResult(result, wanted.parent.name, continuations(view))


def replay(
    name: str,
    trial: int,
    *,
    storage: str | None = None,
    home: Path | str | None = None,
    heard: Callable[[int, int], None] | None = None,
) -> Replay:
    """Run one trial again on the CPU with its own seeds, and compare; the study is left as it is.

    Args:
        name: The study, a search or a confirm study.
        trial: The trial's number; it is COMPLETE or PRUNED.
        storage: Address of the store, by default ``HOME/pokeopt.db``.
        home: Folder of all state, by default ``POKEOPT_HOME`` or ``.pokeopt``.
        heard: Called after each epoch with (epochs done, epochs to come in all).

    Returns:
        Whether every number is the same bit for bit, the largest deviations if not, and what differs around it.

    Raises:
        UserError: If there is no such trial, or it left nothing to compare with.
    """
    from pokeopt.store import open_store
    from pokeopt.study.replaying import replay_trial

    return replay_trial(open_store(storage, home), name, trial, heard)
