"""Features of a backbone that is never trained: computed once, and the same as through the images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pokeopt import trial
from pokeopt.records import EpochRecord, TrialRecord, TrialTask
from pokeopt.trial import features
from tests.trial.conftest import MakeTask


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Weights of a small backbone in a file, as somebody would bring them."""
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).state_dict(), tmp_path / "weights.pt")
    return str(tmp_path / "weights.pt")


def with_model(task: TrialTask, cache: Path, **settings: Any) -> TrialTask:
    model = {
        "family": "transfer",
        "backbone": "squeezenet1_1",
        "head_width": 8,
        "head_dropout": 0.0,
        **settings,
    }
    data = {**task.config["data"], "image_size": 24}
    return replace(task, config={**task.config, "model": model, "data": data}, cache_dir=str(cache))


def finished(task: TrialTask) -> tuple[list[dict[str, float]], TrialRecord]:
    *epochs, last = trial.run(task)
    assert isinstance(last, TrialRecord)
    curve = [dict(item.metrics) for item in epochs if isinstance(item, EpochRecord) and not item.heartbeat]
    return curve, last


def test_features_change_nothing_but_the_time(
    make_task: MakeTask, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same training whether the backbone looks at each image once or in each epoch."""
    task = with_model(
        make_task(augmentation=[], epochs=3), tmp_path / "home" / "cache", weights=weights, trainable=[]
    )
    once, by_features = finished(task)
    assert len(list((tmp_path / "home" / "cache" / "features").glob("*.npy"))) == 1
    monkeypatch.setattr("pokeopt.trial.prepare.frozen_features", lambda *_: None)
    each, by_images = finished(task)
    for one, other in zip(once, each, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
    said = [record.predictions["test"].probabilities for record in (by_features, by_images)]
    assert said[0] is not None
    assert said[1] is not None
    np.testing.assert_allclose(said[0], said[1], atol=1e-4)


def test_a_second_trial_computes_none(
    make_task: MakeTask, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it matter whether its head is another one."""
    cache = tmp_path / "home" / "cache"
    finished(with_model(make_task(augmentation=[], epochs=1), cache, weights=weights, trainable=[]))

    def never(*_: Any) -> Any:
        raise AssertionError("the features were there")

    monkeypatch.setattr(features, "_computed", never)
    finished(
        with_model(make_task(augmentation=[], epochs=1), cache, weights=weights, trainable=[], head_width=0)
    )


@pytest.mark.parametrize(
    ("augmentation", "settings"),
    [(["horizontal_flip"], {}), ([], {"trainable": [4]}), ([], {"weights": "none"})],
    ids=["augmented images", "a trained stage", "random weights"],
)
def test_images_are_looked_at_where_features_would_change(
    make_task: MakeTask, weights: str, tmp_path: Path, augmentation: list[str], settings: dict[str, Any]
) -> None:
    cache = tmp_path / "home" / "cache"
    model = {"weights": weights, "trainable": [], **settings}
    finished(with_model(make_task(augmentation=augmentation, epochs=1), cache, **model))
    assert not (cache / "features").exists()


def test_other_weights_have_other_features(make_task: MakeTask, weights: str, tmp_path: Path) -> None:
    """Even in a file of the same name."""
    from torchvision.models import squeezenet1_1

    cache = tmp_path / "home" / "cache"
    task = with_model(make_task(augmentation=[], epochs=1), cache, weights=weights, trainable=[])
    finished(task)
    torch.manual_seed(1)
    torch.save(squeezenet1_1(weights=None).state_dict(), weights)
    finished(task)
    assert len(list((cache / "features").glob("*.npy"))) == 2


@pytest.mark.parametrize("channels", ["gray", "rgb", "rgba"])
def test_any_channels_meet_the_statistics_of_photographs(
    make_task: MakeTask, weights: str, tmp_path: Path, channels: str
) -> None:
    """A backbone is used to three colours."""
    task = with_model(make_task(epochs=1), tmp_path / "home" / "cache", weights=weights)
    task = replace(task, config={**task.config, "data": {**task.config["data"], "channels": channels}})
    _, last = finished(task)
    assert "test/macro_f1" in last.metrics
