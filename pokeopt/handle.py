"""A stored study in Python's hands: its trials as a table, its best configuration, Optuna's own objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pokeopt.errors import StoreError, UserError

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from pokeopt.inference import Evaluation, ExportResult, Model, RetrainResult
    from pokeopt.store import Store, StudyView, TrialRow


def load_study(name: str, *, storage: str | None = None, home: Path | str | None = None) -> Study:
    """Return a study of the store.

    Args:
        name: Its name; NAME means the newest of NAME, NAME-2, ... that ``--fresh`` started.
        storage: Address of the store, by default ``HOME/pokeopt.db``.
        home: Folder of all state, by default ``POKEOPT_HOME`` or ``.pokeopt``.

    Raises:
        UserError: If there is none, with the nearest name.
    """
    from pokeopt.store import open_store

    return Study(open_store(storage, home), name)


def list_studies(*, storage: str | None = None, home: Path | str | None = None) -> list[str]:
    """Return the names of the studies in the store, oldest first."""
    from pokeopt.store import open_store

    return open_store(storage, home).names()


class Study:
    """A study as it stood when it was loaded; ``reload`` takes in what has happened since.

    Attributes:
        store: Where it lies.
        view: Its rows and attributes, frozen.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.view: StudyView = store.load(name)

    def __repr__(self) -> str:
        best = f", best {self.view.best.value:.4g}" if self._has_best and self.view.best else ""
        return f"<Study {self.name} ({self.kind}): {len(self.view.counted)} trials{best}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from pokeopt.store.notebook import study_html

        return study_html(self.view)

    @property
    def name(self) -> str:
        """Its name in the store."""
        return self.view.name

    @property
    def kind(self) -> str:
        """``search`` or ``confirm``."""
        return self.view.kind

    @property
    def trials(self) -> tuple[TrialRow, ...]:
        """The rows that count, by number."""
        return self.view.counted

    @property
    def best_trial(self) -> TrialRow:
        """The COMPLETE trial with the best first objective.

        Raises:
            UserError: Of a confirm study, which has arms and no best trial.
            StoreError: If no trial is complete yet.
        """
        if not self._has_best:
            parent = self.view.attrs.get("parent", "its search")
            what = "a confirm study has arms, not a best trial"
            raise UserError(f"study {self.name}", what, f"load {parent}, or look at its trials_dataframe()")
        if self.view.best is None:
            raise StoreError(
                f"study {self.name}", "no trial is complete yet", f"see pokeopt show {self.name}"
            )
        return self.view.best

    @property
    def best_value(self) -> float:
        """The first objective of the best trial."""
        value = self.best_trial.value
        assert value is not None, "a best trial has a value"
        return value

    @property
    def best_config(self) -> dict[str, Any]:
        """The resolved configuration of the best trial: data, external, model, loss, training."""
        return self.best_trial.config

    @property
    def optuna_study(self) -> optuna.Study:
        """Optuna's own study, for its visualisations and importances. It writes to the same store."""
        return self.store.study(self.name)

    @property
    def ablation(self) -> Study | None:
        """Its confirm study, if one was run."""
        name = f"{self.name}.ablation"
        return Study(self.store, name) if name in self.store.names() else None

    def reload(self) -> Study:
        """Take in what has happened since it was loaded; return itself."""
        self.view = self.store.load(self.name, exact=True)
        return self

    def trials_dataframe(self) -> pd.DataFrame:
        """Return one row a trial that counts, indexed by its number.

        Columns: ``state`` and ``stop_cause``; ``value`` (of COMPLETE trials only; several objectives by their names);
        each parameter under its path, of a confirm study ``arm`` and ``seed`` instead; each final metric under its own
        name, like ``test/macro_f1``; ``epochs_run``, ``best_step``, ``wall_s``.
        """
        import pandas as pd

        metrics = sorted({key for row in self.trials for key in row.attrs if "/" in key})
        records = []
        for row in self.trials:
            record: dict[str, Any] = {
                "trial": row.number,
                "state": row.shown_state,
                "stop_cause": row.stop_cause,
            }
            is_complete = row.state == "COMPLETE" and row.values is not None
            names = ["value"] if len(self.view.metrics) == 1 else list(self.view.metrics)
            for index, name in enumerate(names):
                record[name] = row.values[index] if is_complete and row.values else None
            if self.kind == "confirm":
                record |= {"arm": row.arm_id, "seed": row.seed}
            record |= row.params
            record |= {key: row.metric(key) for key in metrics}
            record |= {key: row.attrs.get(key) for key in ("epochs_run", "best_step", "wall_s")}
            records.append(record)
        return pd.DataFrame(records).set_index("trial") if records else pd.DataFrame()

    def curves(self, trial: int) -> pd.DataFrame:
        """Return every metric of every epoch of a trial, indexed by the step, mean over its seeds.

        Raises:
            UserError: If there is no such trial, or it left no curve.
        """
        import json

        import pandas as pd

        is_there = 0 <= trial < len(self.view.trials)
        content = self.store.read_artifact(self.name, trial, "curves.json") if is_there else None
        if content is None:
            raise UserError(f"study {self.name}", f"trial {trial} has no curve", "see trials_dataframe()")
        steps = json.loads(content)["steps"]
        return pd.DataFrame([{"step": one["step"], **one["metrics"]} for one in steps]).set_index("step")

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report, by default to ``reports/NAME.html``; the suffix may be html, md, tex, csv or json."""
        from pokeopt.report.write import format_of, write_report

        output = Path(path) if path is not None else Path("reports") / f"{self.name}.html"
        return write_report(self.store, [self.name], output, format_of(output))

    def retrain(self, seeds: int = 5, *, on: str = "train+val", trial: int | None = None) -> RetrainResult:
        """Train the chosen configuration again with seeds 0 to ``seeds`` - 1; what is there already stays.

        Args:
            seeds: How many networks.
            on: ``train`` or ``train+val``.
            trial: This trial instead of the best.
        """
        from pokeopt.inference import retrain

        return retrain(self.store, self.name, trial=trial, seeds=tuple(range(seeds)), on=on)

    def export(
        self,
        path: Path | str,
        *,
        trial: int | None = None,
        weights: Literal["retrained", "trial"] | None = None,
        seed: int | None = None,
    ) -> ExportResult:
        """Write one network with all it needs to a ``.pt2`` or ``.onnx`` file that answers as it does, to 1e-5.

        Args:
            path: The file.
            trial: This trial instead of the best.
            weights: Those that were retrained, where there are some, or those that the search kept.
            seed: The network of this seed instead of the first.
        """
        from pokeopt.inference import export_model

        return export_model(self.store, self.name, Path(path), trial=trial, weights=weights, seed=seed)

    def model(
        self,
        *,
        trial: int | None = None,
        weights: Literal["retrained", "trial"] | None = None,
        seed: int | None = None,
        ensemble: int | Literal["seeds"] | None = None,
    ) -> Model:
        """Return a trained network of the study to predict with, or an ensemble.

        Args:
            trial: This trial instead of the best.
            weights: Those that were retrained, where there are some, or those that the search kept.
            seed: The network of this seed instead of the first.
            ensemble: Average so many of the best trials, or all retrained ``seeds``.
        """
        from pokeopt.inference import open_model

        asked = None if ensemble is None else str(ensemble)
        return open_model(self.store, self.name, trial=trial, weights=weights, seed=seed, ensemble=asked)

    def evaluate(self, data: Mapping[str, Any], model: Model | None = None) -> Evaluation:
        """Score a model of the study on a labelled set; it is stored, and the next report shows it.

        Args:
            data: The set, as the ``data`` section of a search-space file names it: a source and its settings.
            model: One of ``model``; by default that without options.
        """
        from pokeopt.inference import evaluate
        from pokeopt.inference.evaluate import keep_evaluation

        chosen = model or self.model()
        found = evaluate(chosen, data, self.store.cache_dir)
        keep_evaluation(self.store, chosen, found)
        return found

    @property
    def _has_best(self) -> bool:
        return self.kind == "search"
