"""Our side: the same list as cells of a confirm study, with the store, checkpoints, artifacts and test scores."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks.configurations import Configuration

SPACE = """
name: bench
data: {source: creatures, preprocess: [silhouette_crop]}
model: {family: mlp}
search: {pruner: none}
"""


def run(configs: list[Configuration], cache_home: Path, seed: int, gpus: float) -> dict[str, float]:
    """Run the list two trials at a time and return the last validation macro-F1 of each.

    Args:
        configs: What to run.
        cache_home: A home whose image cache is filled already, as the peer's folder of images is.
        seed: Starts every network.
        gpus: Share of a GPU that a trial gets.
    """
    from pokeopt.ablation.cells import config_hash
    from pokeopt.spec import load_study
    from pokeopt.store import open_store
    from pokeopt.store.lease import FileLease
    from pokeopt.store.writing import StudyWriter
    from pokeopt.study.launch import Launch, build_core, drive, new_run_id
    from pokeopt.study.resources import Placement
    from pokeopt.study.stopping import stop_signals
    from pokeopt.study.work import ConfirmWork

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(SPACE)
        spec = load_study(path)
        store = open_store(home=folder)
        store.cache_dir = cache_home / "cache"
        writer = StudyWriter(store, "bench", ("maximize",), {"kind": "confirm", "spec": spec.resolved()})
        for i, config in enumerate(configs):
            full = spec.space.config({})
            full["model"] |= {
                "depth": len(config.width),
                "width": list(config.width),
                "dropout": config.dropout,
            }
            full["training"] |= {
                "epochs": config.epochs,
                "batch_size": config.batch_size,
                "learning_rate": config.learning_rate,
                "keep": "last",
            }
            cell = {"proposal": i, "arm_id": config.name, "seed": seed, "resample": "none"}
            writer.enqueue({**cell, "config_hash": config_hash(full), "config": json.dumps(full)})
        run_id = new_run_id()
        with stop_signals() as signals:
            lease = FileLease(store.leases_dir, run_id)
            placement = Placement(2, 1, gpus)
            launch = Launch(store, lease, run_id, placement, signals, n_gpus=round(2 * gpus))
            with launch.stack:
                outcome = drive(build_core(spec, writer, ConfirmWork(), launch), launch)
            lease.release()
        assert outcome.failure is None, outcome.failure
        rows = store.load("bench").complete
        assert len(rows) == len(configs)
        return {str(row.arm_id): float(row.value or 0.0) for row in rows}
