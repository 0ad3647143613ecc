"""The in-process runner: one trial at a time through the same core, for debugging, notebooks and tiny tests."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Any

from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialTask
from pokeopt.study.core import Ask, Core

OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")


def run_locally(core: Core) -> None:
    """Run until the core is done; a trial's exception ends that trial only."""
    n = 0
    while True:
        key = f"local-{n}"
        task = core.ask(key)
        if not isinstance(task, TrialTask):
            assert task is Ask.DONE, "nothing else runs in this process that could be waited for"
            return
        n += 1
        core.started(key)
        run_one(core, key, task)


def run_one(core: Core, key: str, task: TrialTask) -> None:
    """Pull one trial through the core."""
    from pokeopt.trial import Abandoned

    try:
        with closing(pull(task)) as records:
            for record in records:
                if not isinstance(record, EpochRecord):
                    core.complete(key, record)
                    return
                cause = core.record(key, record)
                if cause is StopCause.INTERRUPTED:
                    records.close()  # writes a checkpoint: a retry goes on from it
                elif cause is not None:
                    with suppress(Abandoned, StopIteration):
                        records.throw(Abandoned())
                if cause is not None:
                    core.stop(key, cause)
                    return
    except Exception as error:
        core.fail(key, cause_of(error), type(error).__name__, traceback.format_exc())
        return
    core.fail(key, StopCause.NO_METRIC, "NoMetric", "the trial ended without a result")


def pull(task: TrialTask) -> Generator[EpochRecord | TrialRecord, None, None]:
    """Yield where it runs, the epochs that the checkpoint knows (a retry has the whole curve), then what it runs."""
    from pokeopt.trial import history, run

    yield EpochRecord(step=0, heartbeat=True, facts=worker_facts(task))
    if task.checkpoint_dir is not None:
        yield from history(task.checkpoint_dir)
    yield from run(task)


def worker_facts(task: TrialTask) -> dict[str, Any]:
    """Return the user attributes that are known before anything is trained, and so of a trial of any ending."""
    from pokeopt.training.device import choose_device

    return {
        "host": socket.gethostname(),
        "worker_pid": os.getpid(),
        "threads": task.threads,
        "device": str(choose_device(task.device)),
        "precision": task.config["training"]["precision"],
    }


def cause_of(error: BaseException) -> StopCause:
    """Return what an exception in a trial means."""
    return StopCause.OOM if type(error).__name__ in OUT_OF_MEMORY else StopCause.ERROR
