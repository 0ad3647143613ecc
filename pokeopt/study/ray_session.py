"""A private, quiet Ray: no dashboard, no phone-home, no log lines between the user and the study."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pokeopt.study.guardian import guarded

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_AUTO_INIT": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # our own handler asks the core first
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # one trial without the metric must not end the run
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
}
OBJECT_STORE_BYTES = 128 * 2**20  # predictions and pictures pass through it, nothing large


@contextmanager
def ray_session(n_cpus: int, n_gpus: float, address: str | None = None) -> Iterator[None]:
    """Start a private Ray for the block, or join the cluster at ``address``; nothing of it is left afterwards."""
    for key, value in QUIET.items():
        os.environ.setdefault(key, value)
    import ray

    if ray.is_initialized():  # the caller's own session, as in a notebook or a test
        yield
        return
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        try:
            yield
        finally:
            ray.shutdown()
        return
    folder = Path(
        tempfile.mkdtemp(prefix="po-", dir="/tmp" if os.path.isdir("/tmp") else None)
    )  # short: sockets
    with guarded(folder):
        try:
            ray.init(
                address="local",  # never the cluster that happens to run on this machine
                num_cpus=n_cpus,
                num_gpus=int(n_gpus),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=str(folder),
            )
            yield
        finally:
            ray.shutdown()
