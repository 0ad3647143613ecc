"""Two logical GPUs on a machine without any: placement, visibility, concurrency, and the fallback to the CPU."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLUGIN = '''
import json, os, time
from dataclasses import dataclass
from pathlib import Path
from pokeopt.models.mlp import MLP
from pokeopt.registry import MODELS

@MODELS.register("witness")
@dataclass(frozen=True)
class Witness:
    """Writes down where and when it is built."""
    folder: str = "."

    def build(self, image, n_classes):
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        note = {{"gpu": seen, "pid": os.getpid(), "at": time.time()}}
        Path(r"{folder}", f"{{os.getpid()}}-{{time.time_ns()}}.json").write_text(json.dumps(note))
        time.sleep(1.5)
        return MLP(depth=1, width=(4,)).build(image, n_classes)
'''
SPACE = """
name: gpus
data: {source: digits, image_size: 8, channels: gray, limit: 200}
model: {family: witness}
training: {epochs: 1, learning_rate: {float: [1e-4, 1e-2], log: true}}
search: {sampler: random, pruner: none, trials: 8}
resources: {workers: 4, gpus_per_trial: 0.5}
plugins: [witness.py]
"""


@pytest.fixture
def ray_with_two_gpus() -> Iterator[None]:
    import ray

    from pokeopt.study.ray_session import ray_session

    with ray_session(4, 2):
        yield
    assert not ray.is_initialized()


def test_trials_share_the_gpus_that_ray_gives_them(
    tmp_path: Path, ray_with_two_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pokeopt import api
    from pokeopt.study import resources

    notes = tmp_path / "notes"
    notes.mkdir()
    (tmp_path / "witness.py").write_text(PLUGIN.format(folder=notes))
    (tmp_path / "gpus.yaml").write_text(SPACE)
    monkeypatch.setattr(resources, "available_gpus", lambda: 2)
    monkeypatch.setattr(resources, "available_cpus", lambda: 4)
    result = api.run(tmp_path / "gpus.yaml", home=tmp_path / "home", report=False)
    assert result.exit_code == 0, result.message
    seen = [json.loads(path.read_text()) for path in notes.iterdir()]
    assert {note["gpu"] for note in seen} == {"0", "1"}, "each trial sees the one GPU that it shares"
    assert len({note["pid"] for note in seen}) == 4, (
        "four halves of two GPUs, each an actor that is used again"
    )
    assert all(row.attrs["device"] == "cpu" for row in result.search.complete), "no CUDA here: it falls back"


def test_no_gpu_is_seen_where_none_was_asked_for(tiny: Callable[..., Path]) -> None:
    from pokeopt.spec import load_study
    from pokeopt.study.resources import place

    assert place(load_study(tiny()).resources, 2, 0).device == "auto"
