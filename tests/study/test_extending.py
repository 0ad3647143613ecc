"""An extended trial is the trial that so many epochs from the start would have given, bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api, continuing
from pokeopt.errors import UserError
from pokeopt.records import TrialState
from pokeopt.store import StudyView, TrialRow, open_store

Write = Callable[..., Path]


def run(path: Path, home: str, **options: object) -> StudyView:
    result = api.run(path, home=path.parent / home, report=False, workers=0, **options)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.message
    return result.search


def extend(path: Path, epochs: int, top: int = 2, **options: object) -> continuing.ExtendResult:
    return continuing.extend(
        "tiny",
        epochs=epochs,
        top=top,
        home=path.parent / "home",
        workers=0,
        report=False,
        **options,  # type: ignore[arg-type]
    )


def numbers(row: TrialRow) -> dict[str, object]:
    """Return all that was measured of a trial, but for time."""
    timed = ("cost/",)
    metrics = {key: value for key, value in row.attrs.items() if "/" in key and not key.startswith(timed)}
    return {
        "values": row.values,
        "curve": row.curve,
        "params": row.params,
        "seed": row.attrs["seed"],
        **metrics,
    }


@pytest.mark.parametrize(
    ("schedule", "from_step"), [("constant", 2), ("{step: {every: 2}}", 2), ("plateau", 2), ("cosine", 0)]
)
def test_it_equals_a_run_of_that_length(tiny: Write, schedule: str, from_step: int) -> None:
    """A schedule that looks ahead would be another one when continued: it starts again."""
    path = tiny(trials=3, epochs=2)
    sets = [f"training.schedule={schedule}"]
    short = run(path, "home", sets=sets)
    result = extend(path, 5)
    direct = run(path, "direct", sets=[*sets, "training.epochs=5"])
    assert {one.from_step for one in result.continuations} == {from_step}
    assert all(bool(one.note) == (from_step == 0) for one in result.continuations)
    assert [row.attrs["extends"] for row in result.run.search.trials] == [r.number for r in short.ranked[:2]]
    for row in result.run.search.trials:
        assert numbers(row) == numbers(direct.trials[row.attrs["extends"]])
    assert open_store(home=path.parent / "home").load("tiny") == short, "the search itself is left alone"


def test_it_goes_on_from_a_shorter_extension_and_is_not_run_twice(tiny: Write) -> None:
    path = tiny(trials=3, epochs=1)
    run(path, "home", sets=["search.seeds=2"])
    extend(path, 3)
    longer = extend(path, 4, top=3)
    assert [one.from_step for one in longer.continuations] == [3, 3, 1]
    again = extend(path, 4, top=1)
    assert again.run.search.trials == longer.run.search.trials
    direct = run(path, "direct", sets=["search.seeds=2", "training.epochs=4"])
    for row in longer.run.search.trials:
        assert numbers(row) == numbers(direct.trials[row.attrs["extends"]])


def test_without_a_checkpoint_it_starts_again_and_says_so(tiny: Write) -> None:
    path = tiny(trials=2, epochs=2)
    run(path, "home")
    shutil.rmtree(path.parent / "home" / "checkpoints" / "tiny")
    (one,) = extend(path, 3, top=1).continuations
    assert one.from_step == 0
    assert "checkpoint is gone" in one.note


def test_it_resumes(tiny: Write) -> None:
    """What a stopped extension has not run is run by the next one."""
    path = tiny(trials=3, epochs=1)
    run(path, "home")
    cut = extend(path, 3, timeout_s=0.0)
    assert cut.run.search.complete == ()
    whole = extend(path, 3)
    assert [row.state for row in whole.run.search.counted] == [TrialState.COMPLETE] * 2
    assert {row.attrs["continued_from"] for row in whole.run.search.counted} == {1}


def test_searched_epochs_become_fixed(tiny: Write) -> None:
    path = tiny(trials=3, epochs=1)
    text = path.read_text().replace("epochs: 1,", "epochs: {int: [1, 2]},")
    path.write_text(text.replace("baseline: {", "baseline: {training.epochs: 1, "))
    run(path, "home")
    result = extend(path, 3)
    assert all("training.epochs" not in row.params for row in result.run.search.trials)
    assert {row.attrs["epochs_run"] for row in result.run.search.trials} == {3}


def test_what_cannot_be_extended(tiny: Write) -> None:
    path = tiny(trials=2, epochs=2, more="ablation: {seeds: 1, top: 1}\n")
    run(path, "home")
    extend(path, 3, top=1)
    home = path.parent / "home"
    before = open_store(home=home).names()
    for name, epochs, part in (
        ("tiny", 2, "2 epochs already"),
        ("tiny.e3", 9, "extend tiny"),
        ("tiny.ablation", 9, "extend tiny"),
        ("tinny", 9, "did you mean 'tiny'"),
    ):
        with pytest.raises(UserError, match=part):
            continuing.extend(name, epochs=epochs, home=home, workers=0)
    assert open_store(home=home).names() == before


@pytest.mark.slow
def test_through_ray_it_is_the_same(tiny: Write) -> None:
    path = tiny(trials=2, epochs=2)
    run(path, "home")
    result = continuing.extend("tiny", epochs=3, top=2, home=path.parent / "home", workers=2, report=False)
    direct = run(path, "direct", sets=["training.epochs=3"])
    for row in result.run.search.trials:
        assert numbers(row) == numbers(direct.trials[row.attrs["extends"]])
