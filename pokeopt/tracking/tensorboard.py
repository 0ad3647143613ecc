"""TensorBoard: a folder of event files a trial, with its settings on the HPARAMS page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.records import EpochRecord
from pokeopt.registry import TRACKERS, PathText
from pokeopt.study.events import ReportWritten, StudyBegan, StudyEnded, TrialBegan, TrialEnded
from pokeopt.tracking.base import Connection, epoch_metrics, final_metrics, params_of

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

FLUSH_S = 10  # a page that is open sees an epoch this soon
IMAGES = (".png",)


@TRACKERS.register("tensorboard")
@dataclass(frozen=True)
class TensorBoard:
    """Event files, one folder a trial.

    Attributes:
        folder: Where to; by default ``tensorboard`` in the folder of all state.
    """

    folder: PathText | None = None

    needs = "tensorboardX"

    def connect(self, home: Path) -> TensorBoardConnection:
        """Return the connection; a folder is made with its first trial."""
        return TensorBoardConnection(Path(self.folder) if self.folder else home / "tensorboard")


@dataclass
class TrialFiles:
    """The open event file of a trial, and what its settings are."""

    writer: SummaryWriter
    params: Mapping[str, Any]


class TensorBoardConnection(Connection[TrialFiles]):
    """A folder of event files."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self.where = f"tensorboard --logdir {root}"

    def begin(self, study: StudyBegan, trial: TrialBegan) -> TrialFiles:
        """Open the trial's event file.

        A study that is deleted and begun anew under its name has folders of its own, told apart by its key.
        """
        from tensorboardX import SummaryWriter

        folder = self._root / f"{study.study}-{study.key[:4]}" / f"{trial.number:04d}"
        writer = SummaryWriter(str(folder), flush_secs=FLUSH_S)
        return TrialFiles(writer, params_of(trial.config))

    def log(self, run: TrialFiles, records: Sequence[EpochRecord]) -> None:
        """Write epochs, each at its step."""
        for record in records:
            for name, value in epoch_metrics(record).items():
                run.writer.add_scalar(name, value, record.step)
        run.writer.flush()

    def end(self, run: TrialFiles, event: TrialEnded) -> None:
        """Write the final metrics, the settings and the pictures, and close the file."""
        kept = int(event.facts.get("best_step") or 0)
        metrics = final_metrics(event)
        for name, value in metrics.items():
            run.writer.add_scalar(name, value, kept)
        self._write_settings(run, metrics)
        for name, content in event.files.items():
            if name.endswith(IMAGES):
                run.writer.add_image(Path(name).stem, _pixels(content), kept, dataformats="HWC")
        run.writer.add_text("stop_cause", event.cause.value, kept)
        run.writer.close()

    def end_study(self, study: StudyBegan, event: StudyEnded) -> None:
        """Nothing: TensorBoard knows runs, not studies, and holds no weights."""

    def attach_report(self, study: StudyBegan, event: ReportWritten) -> None:
        """Nothing: TensorBoard holds no pages."""

    def close(self) -> None:
        """Close what is still open."""
        for trial in self._trials.values():
            if trial.run is not None:
                trial.run.writer.close()

    @staticmethod
    def _write_settings(run: TrialFiles, metrics: Mapping[str, float]) -> None:
        from tensorboardX.summary import hparams

        # add_hparams would open a second run beside the first, named by the clock
        for summary in hparams(dict(run.params), dict(metrics)):
            run.writer.file_writer.add_summary(summary)


def _pixels(content: bytes) -> Any:
    import io

    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
