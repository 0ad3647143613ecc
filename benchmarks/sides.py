"""Our training loop and the plain one, each in a process of its own, that trains an epoch whenever it is its turn."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from benchmarks.baselines import write_images
from pokeopt.records import TrialTask

Who = Literal["plain", "pokeopt"]


@dataclass(frozen=True)
class Epoch:
    """What one epoch took and came to.

    Attributes:
        seconds: Of training and validation.
        score: On the validation part.
    """

    seconds: float
    score: float


class Side:
    """One way to train, in a process that is started with it and ends with it.

    Args:
        who: ``pokeopt`` or ``plain``.
        folder: Where ``write`` puts the images, and where the plain loop finds them.
    """

    def __init__(self, who: Who, folder: Path) -> None:
        self.who, self.folder = who, folder
        # a fresh process, not a copy of this one: nothing that one side sets up in torch reaches the other
        spawning = multiprocessing.get_context("spawn")
        self.process = ProcessPoolExecutor(1, mp_context=spawning, initializer=_like_a_program)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.shutdown(cancel_futures=True)

    def write(self, task: TrialTask) -> None:
        """Write the task's images; our side's cache is filled on the way."""
        self.process.submit(write_images, task, self.folder).result()

    def begin(self, name: str, task: TrialTask, seed: int, n_workers: int = 0) -> None:
        """Build a network; from now on ``epoch`` trains it. It takes the place of an earlier one of the name."""
        self.process.submit(
            _begin, name, self.who, replace(task, seeds=(seed,)), self.folder, n_workers
        ).result()

    def epoch(self, name: str) -> Epoch:
        """Train the network of this name for one more epoch."""
        return self.process.submit(_epoch, name).result()


def _like_a_program() -> None:
    """Let a DataLoader start its workers as in any program: a spawned process would spawn them, too, in seconds."""
    usual, *_ = multiprocessing.get_all_start_methods()
    multiprocessing.set_start_method(usual, force=True)


_under_way: dict[str, Iterator[float]] = {}  # of the process of one side


def _begin(name: str, who: Who, task: TrialTask, folder: Path, n_workers: int) -> None:
    _under_way.pop(name, None)  # its memory is free before the next one takes its own
    _under_way[name] = _start_plain(task, folder, n_workers) if who == "plain" else _start_ours(task)


def _epoch(name: str) -> Epoch:
    began = time.perf_counter()
    score = next(
        _under_way[name]
    )  # a number read off the device: nothing of the epoch is still under way there
    return Epoch(time.perf_counter() - began, score)


def _start_plain(task: TrialTask, folder: Path, n_workers: int) -> Iterator[float]:
    from benchmarks import plain_loop
    from pokeopt.training.device import choose_device

    device = choose_device(task.device)
    return plain_loop.start(task.config, folder, task.seeds[0], device, task.threads, n_workers)


def _start_ours(task: TrialTask) -> Iterator[float]:
    from pokeopt.training.device import choose_device, prepare_device
    from pokeopt.training.loop import Lockstep
    from pokeopt.trial.prepare import prepare

    device = choose_device(task.device)
    prepare_device(device, task.threads, task.memory_fraction, task.deterministic)
    p = prepare(task, device)
    loop = Lockstep(p.recipe, p.data, task.seeds, p.objective, device, p.precision)
    records: Any = loop.epochs()
    return (record.metrics[task.objective] for record in records if record is not None)
