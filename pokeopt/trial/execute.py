"""One trial: a task in, EpochRecords out, a TrialRecord last. Pulled by its driver, which stops it with ``close()``."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pokeopt.errors import TrialError
from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialTask
from pokeopt.registry import import_plugins
from pokeopt.training import checkpoint, device, seeding
from pokeopt.training.loop import Lockstep
from pokeopt.trial.clock import Stopwatch
from pokeopt.trial.prepare import Prepared, prepare
from pokeopt.trial.scoring import diverged_record, score_trial, with_facts

HEARTBEAT_S = 2.0  # between two signs of life a driver can stop the trial: an orderly stop has five seconds
FORMAT = 2  # of the checkpoint

log = logging.getLogger(__name__)
Item = EpochRecord | TrialRecord
T = TypeVar("T")


class Abandoned(Exception):  # noqa: N818 - an order, not an error
    """Thrown into a running trial: stop now, leave no checkpoint."""


def run(task: TrialTask) -> Generator[Item, None, None]:
    """Train and score one configuration.

    Yields an EpochRecord after each epoch, a heartbeat every few seconds between them, and a TrialRecord at the end.
    Continues from the checkpoint in ``task.checkpoint_dir``, if there is one: on the CPU bit for bit as if it had never
    stopped; epochs before the checkpoint are not yielded again (see ``history``). Its ``close()`` writes a checkpoint,
    ``abandon`` removes it.

    Raises:
        SpecError: If the configuration names what does not exist, at the first pull.
        DataError: If the images cannot be used.
        TrialError: If the checkpoint belongs to another trial, or the device is not there.
        torch.OutOfMemoryError: If a quarter of a batch does not fit.
    """
    import_plugins(task.plugins)
    target = device.choose_device(task.device)
    device.prepare_device(target, task.threads, task.memory_fraction, task.deterministic)
    try:
        yield from _Trial(prepare(task, target)).items()
    finally:
        device.release_device(target)


def abandon(items: Generator[Item, None, None]) -> None:
    """Stop a running trial for good: its checkpoint is removed."""
    try:
        items.throw(Abandoned())
    except (Abandoned, StopIteration):
        items.close()


def history(checkpoint_dir: str | Path) -> tuple[EpochRecord, ...]:
    """Return the completed epochs that a checkpoint knows, oldest first; none where there is no checkpoint.

    A driver that died may have missed the last of them. Empty where the seeds are trained in turn.
    """
    state = _readable(Path(checkpoint_dir))
    if state is None or state["in_turn"] or not state["groups"]:
        return ()
    records = Lockstep.read_history(state["groups"][0])
    return tuple(replace(record, checkpoint_step=records[-1].step) for record in records)


def _readable(folder: Path) -> dict[str, Any] | None:
    """Return the checkpoint in a folder; None where there is none that this version of pokeopt can continue from."""
    state = checkpoint.read_checkpoint(folder)
    if state is not None and state.get("format") != FORMAT:
        log.warning("the checkpoint in %s is of another version of pokeopt: the trial starts anew", folder)
        return None
    return state


class _Trial:
    """A trial under way: its groups of networks, its clock and its checkpoint.

    All seeds are one group in lockstep, or each is a group of its own (``in_turn``).
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared, self.task = prepared, prepared.task
        self.seeds = [(seed,) for seed in self.task.seeds] if self.task.in_turn else [self.task.seeds]
        self.groups: list[Lockstep] = []
        self.n_reported = 0  # groups whose own record has been yielded, in turn
        self.folder = Path(self.task.checkpoint_dir) if self.task.checkpoint_dir else None
        self.checkpoint_step: int | None = None
        self.watch = Stopwatch()
        self.gpu_util_pct: list[float] = []
        self.is_over = False  # nothing is left to train, and the checkpoint says so
        self.pulsed_at = self.saved_at = time.monotonic()

    def items(self) -> Generator[Item, None, None]:
        """Yield what ``run`` yields."""
        try:
            self._restore()
            self.watch.start()
            yield from self._train()
            self.watch.stop()
            if self.groups[-1].stop_cause is StopCause.NAN:
                record = diverged_record()
            else:
                self._save()
                # scoring sets the networks to the kept epoch: from here on they are no state to continue from
                self.is_over = True
                record = yield from self._drive(score_trial(self.prepared, self.groups))
            yield self._with_facts(record)
        except GeneratorExit:
            if not self.is_over:
                self._save()
            raise
        except Abandoned:
            self._forget()
            raise

    def _train(self) -> Generator[Item, None, None]:
        for turn, seeds in enumerate(self.seeds):
            if turn == len(self.groups):
                self.groups.append(self._new_group(seeds))
            group = self.groups[turn]
            for record in group.epochs():
                if record is None:
                    yield from self._tick()
                    continue
                self._sample_gpu()
                if group.stop_cause is StopCause.NAN:
                    self.is_over = True
                    self._forget()  # a retry would only meet the NaN again
                    yield from self._give(replace(record, step=turn) if self.task.in_turn else record)
                    return
                if self.task.in_turn:
                    yield from self._tick()
                else:
                    yield from self._give(record)
                    self._save_if_due()
            if self.task.in_turn and turn == self.n_reported:
                self.n_reported += 1
                kept = next(record for record in group.history if record.step == group.kept_step)
                yield from self._give(replace(kept, step=turn, wall_s=self.watch.seconds))
                self._save_if_due()

    def _drive(self, ticks: Generator[None, None, T]) -> Generator[Item, None, T]:
        """Pull a generator to its end, with heartbeats; return what it returns."""
        while True:
            try:
                next(ticks)
            except StopIteration as end:
                result: T = end.value
                return result
            yield from self._tick()

    def _tick(self) -> Generator[Item, None, None]:
        """Between two batches: show a sign of life, write a checkpoint, each when it is due."""
        if time.monotonic() - self.pulsed_at >= HEARTBEAT_S:
            step = self.groups[-1].step if not self.task.in_turn else len(self.groups) - 1
            yield from self._give(EpochRecord(step, heartbeat=True, wall_s=self.watch.seconds))
        self._save_if_due()

    def _give(self, record: EpochRecord) -> Generator[Item, None, None]:
        """Yield a record; the driver's own time and random numbers are not the trial's."""
        was_running = self.watch.is_running
        self.watch.stop()
        layers = seeding.default_state(self.prepared.device)
        try:
            yield replace(record, checkpoint_step=self.checkpoint_step)
        finally:
            seeding.restore_default(layers, self.prepared.device)
            self.pulsed_at = time.monotonic()
            if was_running:
                self.watch.start()

    def _new_group(self, seeds: tuple[int, ...]) -> Lockstep:
        p = self.prepared
        return Lockstep(
            p.recipe, p.data, seeds, p.objective, p.device, p.precision, clock=lambda: self.watch.seconds
        )

    def _save_if_due(self) -> None:
        if time.monotonic() - self.saved_at >= checkpoint.CHECKPOINT_EVERY_S:
            self._save()

    def _save(self) -> None:
        if self.folder is None or self.is_over:
            return
        state = {
            "format": FORMAT,
            "identity": self._identity(),
            "in_turn": self.task.in_turn,
            "wall_s": self.watch.seconds,
            "n_reported": self.n_reported,
            "groups": [group.state_dict() for group in self.groups],
        }
        checkpoint.write_checkpoint(self.folder, state, self._step())
        self.checkpoint_step = self._step()
        self.saved_at = time.monotonic()

    def _restore(self) -> None:
        """Continue from the checkpoint, if there is one."""
        state = _readable(self.folder) if self.folder is not None else None
        if state is None:
            return
        if state["identity"] != self._identity():
            what = "the checkpoint belongs to another configuration, or the data have changed since"
            raise TrialError(str(self.folder), what, "start the trial in an empty folder")
        self.watch = Stopwatch(state["wall_s"])
        self.n_reported = state["n_reported"]
        for seeds, saved in zip(self.seeds, state["groups"], strict=False):
            group = self._new_group(seeds)
            group.load_state_dict(saved)
            self.groups.append(group)
        self.checkpoint_step = self._step()

    def _forget(self) -> None:
        if self.folder is not None:
            checkpoint.remove_checkpoint(self.folder)

    def _step(self) -> int:
        """Return the step of the newest record that a driver may have: completed epochs, or turns."""
        if self.task.in_turn:
            return max(self.n_reported - 1, 0)
        return self.groups[-1].step if self.groups else 0

    def _identity(self) -> str:
        """Return a digest of what a checkpoint can be continued with; the budget may grow."""
        task, dataset = self.task, self.prepared.dataset
        training = {key: value for key, value in task.config["training"].items() if key != "epochs"}
        trained = [task.config["model"], task.config["loss"], training, dataset.data_hash, dataset.split_hash]
        text = json.dumps([*trained, list(task.seeds), task.objective, task.in_turn], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _sample_gpu(self) -> None:
        percent = device.gpu_util_pct(self.prepared.device)
        if percent is not None:
            self.gpu_util_pct.append(percent)

    def _with_facts(self, record: TrialRecord) -> TrialRecord:
        samples = self.gpu_util_pct
        return with_facts(
            record,
            self.prepared,
            self.groups,
            wall_s=self.watch.seconds,
            peak_mem_mb=device.peak_mem_mb(self.prepared.device),
            gpu_util_pct=sum(samples) / len(samples) if samples else None,
        )
