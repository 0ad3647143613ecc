"""MLflow, Weights & Biases and TensorBoard show the same curves as the study: read back by their own readers."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pokeopt.api import run
from pokeopt.records import TrialState
from pokeopt.store import Store, StudyView, TrialRow, open_store
from tests.tracking.conftest import Curves, by_metric, write_space

mlflow = pytest.importorskip("mlflow", reason="pip install 'pokeopt[mlflow]'")
pytest.importorskip("wandb", reason="pip install 'pokeopt[wandb]'")
pytest.importorskip("tensorboard", reason="pip install 'pokeopt[tensorboard]'")

STUDIES = ("tiny", "tiny.ablation")
STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a search with an ablation that was sent to all three."""
    folder = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        path = write_space(folder, "mlflow, wandb, tensorboard")
        result = run(path, home=folder, reports_dir=folder / "reports")
    assert result.exit_code == 0
    assert result.search.states() == {"complete": 1, "diverged": 1, "failed": 1}
    assert not [note for note in result.notes if "messages" in note], result.notes
    assert set(result.tracked) == {"mlflow", "wandb", "tensorboard"}
    return folder


@pytest.fixture(scope="module")
def store(home: Path) -> Store:
    return open_store(home=home)


def rows(store: Store) -> Iterator[tuple[StudyView, TrialRow, Curves]]:
    """Yield every trial of the search and of its ablation, with its curves."""
    n = 0
    for name in STUDIES:
        view = store.load(name)
        for row in view.trials:
            content = store.read_artifact(name, row.number, "curves.json")
            assert content is not None
            yield view, row, by_metric(content)
            n += 1
    assert n >= 4


def final(row: TrialRow, curves: Curves) -> dict[str, float]:
    """Return the metrics at the kept epoch under the names that they are sent by."""
    values = {name: row.metric(name) for name in row.attrs if "/" in name}
    return {
        f"kept/{name}" if name in curves else name: value
        for name, value in values.items()
        if value is not None
    }


# ---------------------------------------------------------------- MLflow


@pytest.fixture(scope="module")
def client(home: Path) -> Any:
    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")


def run_of(client: Any, view: StudyView, trial: str) -> Any:
    experiment = client.get_experiment_by_name("pokeopt").experiment_id
    key = view.attrs["track_id"]
    (found,) = client.search_runs(
        [experiment], f"tags.`pokeopt.key` = '{key}' AND tags.`pokeopt.trial` = '{trial}'"
    )
    return found


def test_mlflow_has_the_curves(client: Any, store: Store) -> None:
    for view, row, curves in rows(store):
        found = run_of(client, view, str(row.number))
        for name, curve in curves.items():
            history = client.get_metric_history(found.info.run_id, name)
            assert {point.step: point.value for point in history} == curve, name
        assert {name: found.data.metrics.get(name) for name in final(row, curves)} == final(row, curves)


def test_mlflow_has_states_parameters_and_artifacts(client: Any, store: Store) -> None:
    for view, row, _ in rows(store):
        found = run_of(client, view, str(row.number))
        parent = run_of(client, view, "study")
        assert found.info.status == STATUS[row.state]
        assert found.data.tags["stop_cause"] == row.attrs["stop_cause"]
        assert found.data.tags["state"] == row.state.value
        assert found.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert found.data.params["training.learning_rate"] == "0.01"
        assert found.data.params["model.mode"] == row.config["model"]["mode"]
        sent = {item.path for item in client.list_artifacts(found.info.run_id)}
        assert sent == set(store.artifacts(view.name, row.number))


def test_mlflow_has_the_model_and_the_report(client: Any, store: Store, home: Path, tmp_path: Path) -> None:
    import torch

    for name in STUDIES:
        view = store.load(name)
        assert view.best is not None
        parent = run_of(client, view, "study")
        assert parent.info.status == "FINISHED"
        assert parent.data.metrics["best/val/macro_f1"] == view.best.metric("val/macro_f1")
        folder = Path(client.download_artifacts(parent.info.run_id, "model", str(tmp_path)))
        assert json.loads((folder / "card.json").read_text())["config"] == view.best.config
        assert torch.load(folder / "checkpoint.pt", weights_only=True)
        report = client.download_artifacts(parent.info.run_id, "tiny.html", str(tmp_path))
        assert Path(report).read_bytes() == (home / "reports" / "tiny.html").read_bytes()


# ---------------------------------------------------------------- Weights & Biases


def wandb_records(path: Path) -> Iterator[Any]:
    """Yield the records of an offline run: LevelDB's log format after a header of seven bytes."""
    from wandb.proto import wandb_internal_pb2

    content, at, whole = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:  # no header fits into the rest of a block
            at += 32768 - at % 32768
            continue
        _, size, kind = struct.unpack_from("<IHB", content, at)
        whole += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a full record, or the last part of one
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            record.ParseFromString(whole)
            yield record
            whole = b""


def wandb_run(home: Path, run_id: str) -> tuple[Any, Curves, dict[str, Any], list[Any]]:
    """Return (run, curves, summary, artifacts) of an offline run."""
    (path,) = (home / "wandb").glob(f"offline-run-*-{run_id}/run-{run_id}.wandb")
    begun: Any = None
    curves: Curves = {}
    summary: dict[str, Any] = {}
    artifacts: list[Any] = []
    for record in wandb_records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            begun = record.run
        elif kind == "history":
            step = record.history.step.num
            for item in record.history.item:
                name = item.key or "/".join(item.nested_key)
                curves.setdefault(name, {})[step] = json.loads(item.value_json)
        elif kind == "summary":
            summary |= {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.summary.update
            }
        elif kind == "request" and record.request.WhichOneof("request_type") == "log_artifact":
            artifacts.append(record.request.log_artifact.artifact)
        elif kind == "artifact":
            artifacts.append(record.artifact)
    return begun, curves, summary, artifacts


def test_wandb_has_the_curves(home: Path, store: Store) -> None:
    for view, row, curves in rows(store):
        begun, sent, summary, artifacts = wandb_run(home, f"{view.attrs['track_id']}-{row.number}")
        assert {name: sent.get(name) for name in curves} == curves
        kept = {name: row.metric(name) for name in row.attrs if "/" in name}
        assert {name: summary.get(name) for name in kept} == kept, "not the last epoch's"
        assert summary["state"] == row.state.value
        assert summary["stop_cause"] == row.attrs["stop_cause"]
        assert begun.run_group == view.name
        files = {item.path for artifact in artifacts for item in artifact.manifest.contents}
        assert files == set(store.artifacts(view.name, row.number))


def test_wandb_has_the_model(home: Path, store: Store) -> None:
    for name in STUDIES:
        view = store.load(name)
        _, _, summary, artifacts = wandb_run(home, f"{view.attrs['track_id']}-study")
        assert view.best is not None
        assert summary["best_trial"] == view.best.number
        files = {artifact.type: {item.path for item in artifact.manifest.contents} for artifact in artifacts}
        assert files == {"model": {"card.json", "checkpoint.pt"}, "report": {"tiny.html"}}


# ---------------------------------------------------------------- TensorBoard


def test_tensorboard_has_the_curves(home: Path, store: Store) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for view, row, curves in rows(store):
        (folder,) = (home / "tensorboard").glob(f"{view.name}-{view.attrs['track_id'][:4]}/{row.number:04d}")
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        for name, curve in curves.items():
            sent = {point.step: point.value for point in events.Scalars(name)}
            assert sent == pytest.approx(curve, rel=1e-6), f"{name}: event files hold float32"
        for name, value in final(row, curves).items():
            assert events.Scalars(name)[-1].value == pytest.approx(value, rel=1e-6), name
        assert "hparams" in events.PluginAssets("hparams") or events.SummaryMetadata(
            "_hparams_/session_start_info"
        )
