"""MLflow: a parent run a study, a child run a trial; a study that goes on continues its parent run."""

from __future__ import annotations

import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.records import EpochRecord, StopCause, TrialState
from pokeopt.registry import TRACKERS
from pokeopt.store.lease import file_lock
from pokeopt.study.events import ReportWritten, StudyBegan, StudyEnded, TrialBegan, TrialEnded
from pokeopt.tracking.base import (
    TAGS_AT_END,
    Connection,
    card,
    epoch_metrics,
    final_metrics,
    params_of,
    tags_of,
    trial_name,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}
KIND = {
    "mlflow.experimentKind": "custom_model_development"
}  # the web view opens on runs, not on a chat's traces
KEY, TRIAL = "pokeopt.key", "pokeopt.trial"  # tags that tell whose a run is
MOST_CHARACTERS = (
    5000  # of a tag or parameter; MLflow refuses more than 6000, some of its stores more than 5000
)
MOST_AT_ONCE = 100  # MLflow refuses more than 100 parameters or tags in one batch
MOST_METRICS = 1000  # ... and more metrics than this


@TRACKERS.register("mlflow")
@dataclass(frozen=True)
class MLflow:
    """Runs in an MLflow store.

    Attributes:
        uri: Where to; by default ``MLFLOW_TRACKING_URI``, else a SQLite file in the folder of all state.
        experiment: By default ``MLFLOW_EXPERIMENT_NAME``, else ``pokeopt``.
    """

    uri: str | None = None
    experiment: str | None = None

    needs = "mlflow"

    def connect(self, home: Path) -> MLflowConnection:
        """Open the store and find or make the experiment."""
        # a server that is away must not hold the thread for minutes
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        own = f"sqlite:///{home / 'mlflow.db'}"
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or own
        name = self.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "pokeopt"
        lock = home / "locks" / "mlflow"
        with file_lock(lock):  # two drivers that begin at once would make two
            client = MlflowClient(tracking_uri=uri)
            known = client.get_experiment_by_name(name)
            # without a place, a SQLite store would leave artifacts in the working directory
            place = (home / "mlflow").as_uri() if uri == own else None
            experiment = (
                known.experiment_id
                if known
                else client.create_experiment(name, artifact_location=place, tags=KIND)
            )
        return MLflowConnection(client, experiment, uri, lock)


class MLflowConnection(Connection[str]):
    """An open MLflow store; a run's handle is its id."""

    def __init__(self, client: MlflowClient, experiment: str, uri: str, lock: Path) -> None:
        super().__init__()
        self._client, self._experiment, self._lock = client, experiment, lock
        self._parents: dict[str, str] = {}
        self.where = uri if uri.startswith("http") else f"mlflow ui --backend-store-uri {uri}"

    def begin(self, study: StudyBegan, trial: TrialBegan) -> str:
        """Make the trial's child run, or take it up if a failed attempt at this made it."""
        parent = self._parent(study)
        name = trial_name(trial.study, trial.number, trial.facts)
        tags = {"mlflow.parentRunId": parent, KEY: study.key, TRIAL: str(trial.number), "study": trial.study}
        tags |= tags_of(trial.facts)
        run = self._find(study, trial.number)
        run = run or self._client.create_run(self._experiment, tags=_cut(tags), run_name=name).info.run_id
        self._send_params(run, params_of(trial.config))
        return run

    def log(self, run: str, records: Sequence[EpochRecord]) -> None:
        """Send epochs, each at its step."""
        self._send_metrics(run, [(record.step, epoch_metrics(record)) for record in records])

    def end(self, run: str, event: TrialEnded) -> None:
        """Send the final metrics, the artifacts and the state."""
        kept = int(event.facts.get("best_step") or 0)
        self._send_metrics(run, [(kept, final_metrics(event))])
        with tempfile.TemporaryDirectory() as folder:
            for name, content in event.files.items():
                (Path(folder) / name).write_bytes(content)
            if event.files:
                self._client.log_artifacts(run, folder)
        self._set_tags(run, tags_of(event.facts, TAGS_AT_END))
        self._terminate(run, event.cause)

    def end_lost(self, study: StudyBegan, event: TrialEnded) -> None:
        """Close the run that a dead driver left open."""
        run = self._find(study, event.number)
        if run is not None:
            self._terminate(run, event.cause)

    def end_study(self, study: StudyBegan, event: StudyEnded) -> None:
        """Give the parent run the best trial's numbers and weights, and close it."""
        run = self._parents.get(study.study) or self._find(study, None)
        if run is None:
            return  # nothing was ever sent of it
        self._parents[study.study] = run
        sent = self._client.get_run(run).data.tags.get("best_trial")
        if event.best is not None and sent != str(
            event.best
        ):  # a launch that found nothing better sends nothing twice
            self._send_metrics(run, [(event.best, {f"best/{k}": v for k, v in event.metrics.items()})])
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "card.json").write_bytes(card(event))
                self._client.log_artifacts(run, folder, "model")
            if event.checkpoint is not None:
                self._client.log_artifact(run, str(event.checkpoint), "model")
            self._set_tags(run, {"best_trial": str(event.best)})
        self._client.set_terminated(run, "KILLED" if event.stopped else "FINISHED")

    def attach_report(self, study: StudyBegan, event: ReportWritten) -> None:
        """Give the parent run the report."""
        if study.study in self._parents:
            self._client.log_artifact(self._parents[study.study], str(event.path))

    def _parent(self, study: StudyBegan) -> str:
        if study.study not in self._parents:
            with file_lock(self._lock):
                run = self._find(study, None)
                if run is None:
                    facts = {
                        name: study.attrs.get(name) for name in ("kind", "metric", "parent", "code_version")
                    }
                    tags = {KEY: study.key, TRIAL: "study", **tags_of(facts, tuple(facts))}
                    made = self._client.create_run(self._experiment, tags=_cut(tags), run_name=study.study)
                    run = made.info.run_id
                else:
                    self._client.update_run(run, status="RUNNING")
            self._parents[study.study] = run
        return self._parents[study.study]

    def _find(self, study: StudyBegan, number: int | None) -> str | None:
        """Return the run of a trial, or of the study itself; None if there is none yet."""
        whose = "study" if number is None else str(number)
        wanted = f"tags.`{KEY}` = '{study.key}' AND tags.`{TRIAL}` = '{whose}'"
        runs = self._client.search_runs([self._experiment], wanted, max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def _send_params(self, run: str, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        every = [Param(safe_name(key), str(value)[:MOST_CHARACTERS]) for key, value in params.items()]
        for part in _batches(every, MOST_AT_ONCE):
            self._client.log_batch(run, params=part)

    def _send_metrics(self, run: str, steps: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        every = [
            Metric(safe_name(name), value, now_ms, step)
            for step, metrics in steps
            for name, value in metrics.items()
        ]
        for part in _batches(every, MOST_METRICS):
            self._client.log_batch(run, metrics=part)

    def _set_tags(self, run: str, tags: Mapping[str, str]) -> None:
        for key, value in _cut(tags).items():
            self._client.set_tag(run, key, value)

    def _terminate(self, run: str, cause: StopCause) -> None:
        self._set_tags(run, {"state": cause.state.value, "stop_cause": cause.value})
        self._client.set_terminated(run, STATUS[cause.state])


def safe_name(name: str) -> str:
    """Return a name as MLflow takes it: what it refuses becomes ``_CODE_``, so that two names stay two.

    >>> safe_name("test/f1/Mr. Mime (♂)")
    'test/f1/Mr. Mime _28__2642__29_'
    """
    plain = re.sub(r"[^/\w.\- :]", lambda found: f"_{ord(found[0]):x}_", name)
    parts = [
        part if part.strip(".") else f"_{part}_" for part in plain.split("/")
    ]  # it takes them for folders
    return "/".join(parts)


def _cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value[:MOST_CHARACTERS] for key, value in tags.items()}


def _batches(every: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(every), most):
        yield every[start : start + most]
