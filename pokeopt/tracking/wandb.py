"""Weights & Biases: a run a trial, grouped by study; offline where nobody has logged in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pokeopt.records import EpochRecord, TrialState
from pokeopt.registry import TRACKERS
from pokeopt.study.events import (
    ReportWritten,
    StudyBegan,
    StudyEnded,
    TrialBegan,
    TrialEnded,
    metrics_of,
)
from pokeopt.tracking.base import TAGS_AT_END, Connection, card, epoch_metrics, tags_of, trial_name

if TYPE_CHECKING:
    from wandb import Run

Mode = Literal["online", "offline"]


@TRACKERS.register("wandb")
@dataclass(frozen=True)
class WandB:
    """Runs in a W&B project.

    Attributes:
        project: By default ``WANDB_PROJECT``, else ``pokeopt``.
        entity: The user or team; by default your own.
    """

    project: str | None = None
    entity: str | None = None

    needs = "wandb"

    def connect(self, home: Path) -> WandBConnection:
        """Choose the mode; a run opens its own connection."""
        folder = Path(os.environ.get("WANDB_DIR") or home)
        folder.mkdir(parents=True, exist_ok=True)  # wandb takes a temporary folder instead of a missing one
        project = self.project or os.environ.get("WANDB_PROJECT") or "pokeopt"
        return WandBConnection(project, self.entity, folder)


class WandBConnection(Connection["Run"]):
    """A project, and the folder where offline runs lie."""

    def __init__(self, project: str, entity: str | None, folder: Path) -> None:
        super().__init__()
        import wandb

        self._wandb = wandb
        self._settings = wandb.Settings(
            silent=True,  # the terminal is ours
            console="off",  # and what trials print is not the study's
            disable_code=True,
            disable_git=True,
            x_disable_stats=True,  # the driver's load says nothing about a worker's
        )
        given = os.environ.get("WANDB_MODE")
        mode = None if given else _mode(wandb)
        self._common: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "dir": str(folder),
            "mode": mode,
        }
        is_offline = (given or mode) != "online"
        self.where = f"wandb sync {folder / 'wandb'}/offline-run-*" if is_offline else f"project {project}"
        self._of_study: dict[str, Run] = {}

    def begin(self, study: StudyBegan, trial: TrialBegan) -> Run:
        """Open the trial's run."""
        name = trial_name(trial.study, trial.number, trial.facts)
        config = {**trial.config, "trial": trial.number, **tags_of(trial.facts)}
        run_id = f"{study.key}-{trial.number}"
        return self._open(run_id, group=study.study, name=name, job_type="trial", config=config)

    def log(self, run: Run, records: Sequence[EpochRecord]) -> None:
        """Send epochs, each at its step."""
        for record in records:
            run.log(epoch_metrics(record), step=record.step)

    def end(self, run: Run, event: TrialEnded) -> None:
        """Put what the kept epoch measured into the summary, attach the artifacts, and close the run."""
        run.summary.update({**metrics_of(event.facts), **tags_of(event.facts, TAGS_AT_END)})
        run.summary.update({"state": event.cause.state.value, "stop_cause": event.cause.value})
        if event.files:
            artifact = self._wandb.Artifact(f"trial-{run.id}", type="result")
            for name, content in event.files.items():
                with artifact.new_file(name, mode="wb") as file:
                    file.write(content)
            run.log_artifact(artifact)
        # a pruned trial did what it should: only a failed one is shown as crashed
        run.finish(exit_code=1 if event.cause.state is TrialState.FAIL else 0)

    def end_study(self, study: StudyBegan, event: StudyEnded) -> None:
        """Log the best trial's weights as a model, in a run of the study's own."""
        if event.best is None or not self._has_sent(study):
            return
        run = self._study_run(study)
        run.summary.update({"best_trial": event.best, **event.metrics})
        metadata = {"study": event.study, "trial": event.best, "metrics": dict(event.metrics)}
        artifact = self._wandb.Artifact(f"model-{study.key}", type="model", metadata=metadata)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "card.json"
            path.write_bytes(card(event))
            artifact.add_file(str(path), name="card.json")
            if event.checkpoint is not None:
                artifact.add_file(str(event.checkpoint), name="checkpoint.pt")
            run.log_artifact(artifact)

    def attach_report(self, study: StudyBegan, event: ReportWritten) -> None:
        """Log the report, in the study's own run."""
        if study.study in self._of_study:
            artifact = self._wandb.Artifact(f"report-{study.key}", type="report")
            artifact.add_file(str(event.path), name=event.path.name)
            self._of_study[study.study].log_artifact(artifact)

    def close(self) -> None:
        """Close the runs of studies, and of trials that never ended."""
        for run in self._of_study.values():
            run.finish()
        for trial in self._trials.values():
            if trial.run is not None:
                trial.run.finish(exit_code=1)

    def _study_run(self, study: StudyBegan) -> Run:
        if study.study not in self._of_study:
            config = {"spec": dict(study.attrs.get("spec", {}))}
            self._of_study[study.study] = self._open(
                f"{study.key}-study", group=study.study, name=study.study, job_type="study", config=config
            )
        return self._of_study[study.study]

    def _open(self, run_id: str, **about: Any) -> Run:
        # create_new: trials overlap, and a notebook may have a run of its own
        return self._wandb.init(
            id=run_id, resume="allow", reinit="create_new", settings=self._settings, **self._common, **about
        )


def _mode(wandb: Any) -> Mode:
    """Return online if somebody has logged in on this machine; nobody is asked for a key in the middle of a run."""
    return "online" if wandb.login(prompt=False) else "offline"
