"""Where trials are placed: logical GPUs show it on a machine that has none."""

from pathlib import Path

import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import ResourcesSpec, load_study
from pokeopt.study.resources import Placement, place


def resources(tmp_path: Path, text: str) -> ResourcesSpec:
    path = tmp_path / "space.yaml"
    path.write_text(f"data: {{source: creatures}}\nmodel: {{family: mlp}}\nresources: {text}\n")
    return load_study(path).resources


@pytest.mark.parametrize(
    ("text", "cpus", "gpus", "expected"),
    [
        ("{}", 2, 0, Placement(2, 1, 0.0)),
        ("{workers: 0}", 2, 0, Placement(0, 1, 0.0)),
        ("{workers: 3, cpus_per_trial: 2}", 8, 0, Placement(3, 2, 0.0)),
        ("{cpus_per_trial: 2}", 8, 0, Placement(4, 2, 0.0)),
        ("{}", 16, 1, Placement(4, 1, 0.25)),
        ("{}", 16, 4, Placement(16, 1, 0.25)),
        ("{}", 2, 4, Placement(2, 1, 1.0)),
        ("{gpus_per_trial: 1}", 16, 4, Placement(4, 1, 1.0)),
        ("{gpus_per_trial: 2}", 16, 4, Placement(2, 1, 2.0)),
        ("{gpus_per_trial: 0.3}", 16, 2, Placement(6, 1, 0.3)),
        ("{gpus_per_trial: 0}", 4, 2, Placement(4, 1, 0.0)),
    ],
)
def test_auto_fills_the_machine(tmp_path: Path, text: str, cpus: int, gpus: int, expected: Placement) -> None:
    assert place(resources(tmp_path, text), cpus, gpus) == expected


@pytest.mark.parametrize(("text", "key"), [("{gpus_per_trial: 1}", "gpus"), ("{cpus_per_trial: 9}", "cpus")])
def test_more_than_there_is_cannot_be_had(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(SpecError, match=key):
        place(resources(tmp_path, text), 2, 0)
