"""A stored study in Python's hands: its trials as a table, its best configuration, Optuna's own objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.errors import StoreError, UserError

if TYPE_CHECKING:
    import optuna
    import pandas as pd

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

    @property
    def _has_best(self) -> bool:
        return self.kind == "search"
