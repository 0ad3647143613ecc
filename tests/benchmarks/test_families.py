"""The families' benchmark: both sides do the same work, and the table tells what was measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import families, plain_loop
from benchmarks.__main__ import main
from benchmarks.baselines import Facts, baseline_task, read_facts, write_images
from benchmarks.families import FAMILIES, WAYS, Measured, Way
from benchmarks.plain_images import build_loaders, unpacked
from benchmarks.sides import Side
from pokeopt.losses.base import LossContext
from pokeopt.losses.combine import build_loss
from pokeopt.models.base import named_outputs
from pokeopt.records import TrialTask
from pokeopt.training.network import Network, parameter_groups
from pokeopt.training.outputs import PartOutputs
from pokeopt.training.recipe import make_model
from pokeopt.trial.prepare import prepare
from tests.families import batch_for, shape_for

CPU, K = torch.device("cpu"), 4
Export = Callable[[str], tuple[TrialTask, Path]]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Write a few images of a family's baseline."""

    def export(family: str) -> tuple[TrialTask, Path]:
        home = tmp_path_factory.mktemp(family)
        task = baseline_task(family, home, limit=100, epochs=1, precision="fp32")
        write_images(task, home / "images")
        return task, home / "images"

    return export


def returned(steps: Generator[None, None, PartOutputs]) -> PartOutputs:
    """Return what a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outputs: PartOutputs = end.value
            return outputs


def config_of(family: str, home: Path) -> Any:
    return baseline_task(family, home, limit=None, epochs=1, precision="fp32").config


@pytest.mark.parametrize("family", FAMILIES)
def test_both_sides_minimise_one_loss(family: str, tmp_path: Path) -> None:
    config = config_of(family, tmp_path)
    batch = batch_for(family, 6, shape_for(family), K)
    network = make_model(config["model"]).build(shape_for(family), K).eval()
    outputs = network(batch.images)
    ours = build_loss(config["loss"], LossContext(torch.full((K,), 9), K))(named_outputs(outputs), batch)
    target = batch.images if batch.target is None else batch.target
    plain = plain_loop.LOSSES[family](outputs, target, batch.labels, config)
    torch.testing.assert_close(plain, ours)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_sides_train_the_same_parameters_at_the_same_rates(family: str, tmp_path: Path) -> None:
    config = config_of(family, tmp_path)
    facts = Facts(32, 3, K, (0.0,), (1.0,), is_paired=family == "unet")
    network = plain_loop.build_network(config, facts)
    optimizer = plain_loop.build_optimizer(config, network)
    rate = config["training"]["learning_rate"]
    ours = {
        id(p): rate * group["factor"]
        for group in parameter_groups(network, torch.nn.Identity())
        for p in group["params"]
    }
    plain = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert plain == ours
    assert {group["weight_decay"] for group in optimizer.param_groups} == {config["training"]["weight_decay"]}


@pytest.mark.parametrize("family", ["cnn", "transfer", "pvae", "unet"])
def test_both_sides_see_the_same_images_and_score_them_alike(export: Export, family: str) -> None:
    """Of the validation part, where nothing is drawn: from PNG files here, out of the cache there."""
    task, folder = export(family)
    _, loader = build_loaders(task.config, read_facts(folder), folder, 0, CPU)
    batches = [unpacked(batch) for batch in loader]
    given, target, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    prepared = prepare(task, CPU)
    ours = Network(prepared.recipe, prepared.data, 0, CPU, "fp32")
    (stored,) = prepared.data.val.batches(len(prepared.data.val))
    order = torch.argsort(stored.labels, stable=True)  # in a folder of classes they follow each other
    pixels = stored.images[order]
    assert labels.tolist() == stored.labels[order].tolist()
    torch.testing.assert_close(
        given, ours.module.standardised(pixels[:, : given.shape[1]]), rtol=0, atol=1e-5
    )
    if family == "unet":
        torch.testing.assert_close(target, pixels[:, given.shape[1] :] / 255)

    outputs = returned(ours.predict(prepared.data.val))
    scores = outputs.scores(prepared.data.val.truth, prepared.data.classes, prepared.data.slices)
    plain = plain_loop.validate(ours.module.network, loader, task.config, CPU)
    assert plain == pytest.approx(scores[task.objective.partition("/")[2]], rel=1e-4)


def measured(family: str, plain_s: float, ours_s: float) -> Measured:
    seconds = {"plain": (plain_s, 9.0, plain_s), "pokeopt": (0.1, ours_s, ours_s)}
    ways = tuple(Way(who, precision, 0, seconds[who], (0.25, 0.75)) for who, precision in WAYS)
    return Measured(family, "macro_f1", 70, 15, ways)


def test_the_ratios_are_of_medians_and_so_is_the_last_row() -> None:
    rows = [
        line.strip("| ").split(" | ")
        for line in families.table([measured("mlp", 3.0, 1.5), measured("cnn", 8.0, 2.0)])
    ]
    assert rows[2][2:9] == ["3.00", "3.00", "1.50", "1.50", "2.00", "2.00", "2.00"]
    assert rows[3][6:9] == ["4.00"] * 3
    assert rows[2][-4:] == ["0.500 ± 0.354"] * 4
    assert [cell for cell in rows[4] if cell.strip()] == ["median", "3.00", "3.00", "3.00"]


def test_an_unknown_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "families", "--families", "mlp,cnm"])
    with pytest.raises(SystemExit, match="cnm"):
        main()


def test_a_side_starts_processes_as_any_program_does(tmp_path: Path) -> None:
    """A DataLoader whose workers are spawned takes seconds to start them, which no user would wait for."""
    usual, *_ = multiprocessing.get_all_start_methods()
    with Side("plain", tmp_path) as side:
        # as text: the function itself would bring this process's own answer along
        found = side.process.submit(eval, "__import__('multiprocessing').get_start_method()").result()
    assert found == usual


@pytest.mark.slow
def test_a_tiny_benchmark_prints_its_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--families pvae --rounds 2 --epochs 1 --limit 60 --threads 1"
    monkeypatch.setattr("sys.argv", ["benchmarks", "families", *options.split()])
    main()
    printed = capsys.readouterr().out
    rows = [line.strip("|").split("|") for line in printed.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["family", "---", "pvae", "median"]
    assert len({len(row) for row in rows}) == 1
    assert all(float(cell) > 0 for cell in rows[2][2:9])
    assert "2 seeds" in printed
