"""The stopwatch of a trial."""

import time

from pokeopt.trial.clock import Stopwatch


def test_only_running_time_counts() -> None:
    watch = Stopwatch(100.0)
    time.sleep(0.02)
    assert watch.seconds == 100.0
    watch.start()
    watch.start()  # once more changes nothing
    time.sleep(0.02)
    watch.stop()
    stopped_at = watch.seconds
    time.sleep(0.02)
    assert 100.02 <= stopped_at == watch.seconds
    assert not watch.is_running
