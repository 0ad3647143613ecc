"""What a trial yields, and how it is stopped and continued."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pokeopt import trial
from pokeopt.errors import SpecError, TrialError
from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialTask
from pokeopt.registry import IMAGE_SAMPLERS
from pokeopt.training import checkpoint
from pokeopt.trial import execute

MakeTask = Callable[..., TrialTask]


def finished(task: TrialTask) -> tuple[list[EpochRecord], TrialRecord]:
    """Run to the end; heartbeats are left out."""
    *epochs, last = trial.run(task)
    assert isinstance(last, TrialRecord)
    return [item for item in epochs if isinstance(item, EpochRecord) and not item.heartbeat], last


def probabilities(record: TrialRecord, part: str) -> npt.NDArray[np.float32]:
    """Return what a classifier said of a part, (S, N, K)."""
    found = record.predictions[part].probabilities
    assert found is not None
    return found


def shown(records: list[EpochRecord]) -> list[Any]:
    """Return what does not depend on the clock."""
    return [(record.step, record.metrics, record.by_seed, record.lr) for record in records]


def scores_of(record: TrialRecord) -> dict[str, float]:
    return {name: value for name, value in record.metrics.items() if not name.startswith("cost/")}


def assert_same_end(a: TrialRecord, b: TrialRecord) -> None:
    assert (a.stop_cause, a.kept_step, scores_of(a)) == (b.stop_cause, b.kept_step, scores_of(b))
    for part in a.predictions:
        assert (probabilities(a, part) == probabilities(b, part)).all()


def test_epochs_then_one_trial_record(make_task: MakeTask) -> None:
    epochs, last = finished(make_task(epochs=4, seeds=(0, 1)))
    assert [record.step for record in epochs] == [1, 2, 3, 4]
    assert last.stop_cause is StopCause.BUDGET
    assert last.kept_step == 1 + int(np.argmax([record.metrics["val/macro_f1"] for record in epochs]))
    assert last.metrics["val/macro_f1"] == epochs[last.kept_step - 1].metrics["val/macro_f1"]
    assert all(a.wall_s < b.wall_s for a, b in pairwise(epochs))


def test_scores_are_those_of_the_predictions(make_task: MakeTask) -> None:
    """Of each part, pooled, for each seed; the trial's is their mean."""
    _, last = finished(make_task(seeds=(0, 1)))
    assert set(last.predictions) == {"val", "test", "again"}
    for part, predictions in last.predictions.items():
        n_images = len(predictions.truth)
        assert probabilities(last, part).shape == (2, n_images, 3)
        assert probabilities(last, part).dtype == np.float32
        assert len(set(predictions.ids)) == n_images > 0
        by_seed = [
            f1_score(predictions.truth, rows.argmax(axis=1), average="macro")
            for rows in probabilities(last, part)
        ]
        assert [metrics[f"{part}/macro_f1"] for metrics in last.by_seed] == pytest.approx(by_seed)
        assert last.metrics[f"{part}/macro_f1"] == pytest.approx(np.mean(by_seed))
    assert (probabilities(last, "again") == probabilities(last, "test")).all()


def test_every_fact_and_every_kind_of_metric(make_task: MakeTask) -> None:
    task = make_task()
    _, last = finished(task)
    costs = "n_params flops wall_s s_per_epoch peak_mem_mb gpu_util_pct epochs_run best_step lr_last"
    places = "device precision threads host worker_pid split_hash data_hash"
    assert set(last.facts) == {*costs.split(), *places.split(), "unregistered", "no_gradient", "first_epoch"}
    assert (last.facts["unregistered"], last.facts["no_gradient"]) == ([], [])
    assert last.facts["gpu_util_pct"] is None
    assert last.facts["n_params"] == (192 * 16 + 2 * 16) + (16 * 8 + 2 * 8) + (8 * 3 + 3)
    assert last.facts["flops"] == 2 * (192 * 16 + 16 * 8 + 8 * 3)
    assert last.metrics["model/n_params"] == last.facts["n_params"]
    assert {name.split("/")[0] for name in last.metrics} == {"train", "val", "test", "again", "model", "cost"}
    assert all(math.isfinite(value) for value in last.metrics.values())
    size = trial.sizes(task.config, n_classes=3)
    assert (size.n_params, size.flops) == (last.facts["n_params"], last.facts["flops"])


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS.names())
def test_the_record_says_what_a_sampler_draws(make_task: MakeTask, sampler: str) -> None:
    _, last = finished(make_task(sampler=sampler, epochs=1))
    told = last.facts["first_epoch"]
    if told is None:  # each image once: equal classes need no balancing
        assert sampler in ("shuffle", "undersample", "oversample")
        return
    drawn, distinct = np.array(told["drawn"]), np.array(told["distinct"])
    assert drawn.shape == distinct.shape == (3,)
    assert (distinct > 0).all()
    assert (distinct <= drawn).all()
    assert sum(drawn) != sum(distinct) or sum(drawn) < 84


def test_what_was_never_trained_drew_nothing(make_task: MakeTask) -> None:
    _, last = finished(make_task(sampler="weighted", epochs=0))
    assert last.facts["first_epoch"] is None


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, 25), min_size=1, max_size=4), in_turn=st.booleans())
def test_a_continued_trial_is_the_uninterrupted_one(
    make_task: MakeTask,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    stops: list[int],
    in_turn: bool,
) -> None:
    """Closed anywhere, in the middle of an epoch or of the scoring: every record, once, bit for bit."""
    monkeypatch.setattr(execute, "HEARTBEAT_S", 0.0)  # a heartbeat after every batch: a place to stop
    plain = {"epochs": 3, "seeds": (0, 1), "in_turn": in_turn}
    expected, expected_end = finished(make_task(**plain))
    folder = tmp_path_factory.mktemp("checkpoint")
    task = make_task(**plain, checkpoint_dir=str(folder))
    seen: list[EpochRecord] = []
    for stop in stops:
        items = trial.run(task)
        for _, item in zip(range(stop), items, strict=False):
            seen += [item] if isinstance(item, EpochRecord) and not item.heartbeat else []
        items.close()
        torch.manual_seed(99)
        assert in_turn or [record.step for record in trial.history(folder)] == [
            record.step for record in seen
        ]
    rest, end = finished(task)
    assert shown(seen + rest) == shown(expected)
    assert_same_end(end, expected_end)


def test_the_weights_are_continued_too(
    make_task: MakeTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the final checkpoints hold is the same, but for the clock."""
    monkeypatch.setattr(execute, "HEARTBEAT_S", 0.0)
    whole, stopped = (make_task(checkpoint_dir=str(tmp_path / name)) for name in ("whole", "stopped"))
    finished(whole)
    items = trial.run(stopped)
    for _ in range(9):
        next(items)
    items.close()
    finished(stopped)
    states = [checkpoint.read_checkpoint(tmp_path / name) for name in ("whole", "stopped")]
    a, b = (state["groups"][0]["networks"][0] for state in states if state is not None)
    for key, weight in a["module"].items():
        assert torch.equal(weight, b["module"][key])
    for key, state in a["optimizer"]["state"].items():
        for name, tensor in state.items():
            assert torch.equal(tensor, b["optimizer"]["state"][key][name])


def test_a_finished_trial_is_only_scored_again(make_task: MakeTask, tmp_path: Path) -> None:
    """If the driver died before it took the last record. The checkpoint knows the epochs."""
    task = make_task(checkpoint_dir=str(tmp_path))
    before, first = finished(task)
    epochs, again = finished(task)
    assert epochs == []
    known = trial.history(tmp_path)
    assert shown(list(known)) == shown(before)
    assert [record.wall_s for record in known] == [record.wall_s for record in before]
    assert {record.checkpoint_step for record in known} == {3}
    assert_same_end(again, first)


def test_a_larger_budget_goes_on(make_task: MakeTask, tmp_path: Path) -> None:
    """From the last epoch, not from the kept one."""
    finished(make_task(epochs=2, checkpoint_dir=str(tmp_path)))
    epochs, last = finished(make_task(epochs=5, checkpoint_dir=str(tmp_path)))
    expected, expected_end = finished(make_task(epochs=5))
    assert shown(epochs) == shown(expected[2:])
    assert_same_end(last, expected_end)


def test_a_checkpoint_of_another_trial_is_refused(make_task: MakeTask, tmp_path: Path) -> None:
    finished(make_task(checkpoint_dir=str(tmp_path)))
    with pytest.raises(TrialError, match="another configuration"):
        finished(make_task(checkpoint_dir=str(tmp_path), learning_rate=1e-3))


def test_checkpoints_are_written_while_it_runs(
    make_task: MakeTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed process leaves the last one; each record names the step from which a retry goes on."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    items = trial.run(make_task(checkpoint_dir=str(tmp_path)))
    steps = []
    for item in items:
        assert isinstance(item, EpochRecord)
        steps.append(item.checkpoint_step)
        if item.step == 3:
            break
    assert steps == [0, 1, 2]
    state = checkpoint.read_checkpoint(tmp_path)  # as a kill leaves it: the third record may not have arrived
    assert state is not None
    assert [record["step"] for record in state["groups"][0]["history"]] == [1, 2]


def test_without_a_folder_nothing_is_written(make_task: MakeTask) -> None:
    epochs, _ = finished(make_task())
    assert [record.checkpoint_step for record in epochs] == [None, None, None]


def test_an_abandoned_trial_leaves_no_checkpoint(make_task: MakeTask, tmp_path: Path) -> None:
    """Pruned is final. Nor does one that was never started, or has just ended."""
    task = make_task(checkpoint_dir=str(tmp_path))
    items = trial.run(task)
    trial.abandon(items)
    items = trial.run(task)
    next(items)
    items.close()
    assert (tmp_path / "checkpoint.pt").is_file()
    items = trial.run(task)
    next(items)
    trial.abandon(items)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StopIteration):
        next(items)


def test_signs_of_life_between_epochs(make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """They carry no metric and change no result, whatever the driver does with torch's random numbers meanwhile."""
    expected, end = finished(make_task())
    monkeypatch.setattr(execute, "HEARTBEAT_S", 0.0)
    seen: list[EpochRecord] = []
    beats = 0
    for item in trial.run(make_task()):
        torch.rand(7)
        if isinstance(item, TrialRecord):
            assert_same_end(item, end)
        elif item.heartbeat:
            beats += 1
            assert (dict(item.metrics), item.step) == ({}, len(seen))
        else:
            seen.append(item)
    assert beats > 3 * 5
    assert shown(seen) == shown(expected)


def test_no_epoch_scores_the_untrained_model(make_task: MakeTask) -> None:
    (record,), last = finished(make_task(epochs=0))
    assert record.step == last.kept_step == 0
    assert last.stop_cause is StopCause.BUDGET
    assert last.metrics["val/macro_f1"] == record.metrics["val/macro_f1"]
    assert set(last.predictions) == {"val", "test", "again"}
    assert last.facts["epochs_run"] == 0


@pytest.mark.parametrize("in_turn", [False, True])
def test_nan_ends_a_trial(make_task: MakeTask, tmp_path: Path, in_turn: bool) -> None:
    """At once, without predictions and without a checkpoint to continue from."""
    task = make_task(
        epochs=50, learning_rate=1e30, optimizer="sgd", checkpoint_dir=str(tmp_path), in_turn=in_turn
    )
    epochs, last = finished(task)
    assert last.stop_cause is StopCause.NAN
    assert math.isnan(epochs[-1].metrics["val/macro_f1"])
    assert len(epochs) < 10
    assert last.predictions == {}
    assert last.facts["n_params"] > 0
    assert list(tmp_path.iterdir()) == []


def test_early_stopping_ends_a_trial(make_task: MakeTask) -> None:
    epochs, last = finished(make_task(epochs=60, early_stopping={"patience": {"epochs": 2}}))
    assert last.stop_cause is StopCause.EARLY_STOP
    assert len(epochs) == last.facts["epochs_run"] < 60


def test_seeds_in_turn(make_task: MakeTask) -> None:
    """One record a seed: its kept epoch, at step = its position; no curve in between."""
    epochs, last = finished(make_task(seeds=(4, 5, 6), in_turn=True))
    alone = [finished(make_task(seeds=(seed,)))[1] for seed in (4, 5, 6)]
    assert [record.step for record in epochs] == [0, 1, 2]
    for record, single in zip(epochs, alone, strict=True):
        assert len(record.by_seed) == 1
        assert record.metrics["val/macro_f1"] == single.metrics["val/macro_f1"]
    expected = [single.metrics["test/macro_f1"] for single in alone]
    assert [metrics["test/macro_f1"] for metrics in last.by_seed] == expected
    assert last.metrics["test/macro_f1"] == pytest.approx(np.mean(expected))


def test_confirm_seeds_redraw_the_split(make_task: MakeTask) -> None:
    """Train and validation; the test part stays."""
    ends = [finished(make_task(epochs=0, resample=resample))[1] for resample in (0, 1)]
    val, test = ([end.predictions[part].ids.tolist() for end in ends] for part in ("val", "test"))
    assert val[0] != val[1]
    assert test[0] == test[1]
    assert ends[0].facts["split_hash"] != ends[1].facts["split_hash"]


def test_deterministic_mode_and_threads_are_set_and_reset(make_task: MakeTask) -> None:
    """A worker is used again; nothing of the trial before may remain."""
    finished(make_task(epochs=1, deterministic=True, threads=2))
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 2
    finished(make_task(epochs=1))
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"optimizer": "adamm"}, "adam"),
        ({"schedule": {"step": {"evry": 2}}}, "every"),
        ({"batch_size": 0}, "batch_size"),
        ({"keep": "first"}, "keep"),
        ({"precision": "fp8"}, "precision"),
        ({"objective": "val/macrof1"}, "val/macro_f1"),
        ({"objective": "val/f1/D"}, "D"),
    ],
    ids=str,
)
def test_what_does_not_exist_is_a_spec_error(make_task: MakeTask, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SpecError, match=named):
        next(trial.run(make_task(**wrong)))


def test_a_gpu_that_is_not_there(make_task: MakeTask) -> None:
    """Device auto falls back to the CPU, cuda does not."""
    if torch.cuda.is_available():
        pytest.skip("there is one")
    _, last = finished(make_task(device="auto", epochs=1))
    assert (last.facts["device"], last.facts["precision"]) == ("cpu", "fp32")
    with pytest.raises(TrialError, match="no GPU"):
        next(trial.run(make_task(device="cuda")))


@pytest.mark.gpu
def test_a_gpu_learns_the_same(make_task: MakeTask) -> None:
    """Not bit for bit, but as well; memory and precision are the GPU's."""
    _, on_cpu = finished(make_task(epochs=8))
    _, on_gpu = finished(make_task(epochs=8, device="cuda"))
    assert on_gpu.facts["precision"] in ("bf16", "fp16")
    assert on_gpu.facts["peak_mem_mb"] < 100
    assert on_gpu.metrics["val/macro_f1"] == pytest.approx(on_cpu.metrics["val/macro_f1"], abs=0.15)


def test_the_time_of_a_batch(make_task: MakeTask) -> None:
    """For a plan: more batches than an epoch has are timed over several epochs."""
    assert 0 < trial.time_batches(make_task(), n=20) < 1


def test_a_checkpoint_of_another_version_is_no_obstacle(
    make_task: MakeTask, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update a trial starts anew instead of failing, and says so."""
    task = make_task(checkpoint_dir=str(tmp_path))
    items = trial.run(task)
    next(items)
    items.close()
    monkeypatch.setattr(execute, "FORMAT", execute.FORMAT + 1)
    assert trial.history(tmp_path) == ()
    epochs, _ = finished(task)
    assert [record.step for record in epochs] == [1, 2, 3]
    assert "another version" in caplog.text
