"""An epoch of each model family, ours and plain PyTorch's, in turn: the seconds, their ratio, the scores reached."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.baselines import LIMITS, baseline_task
from benchmarks.sides import Epoch, Side, Who
from pokeopt.records import TrialTask

FAMILIES = tuple(LIMITS)
PRECISIONS = ("fp32", "bf16")
WAYS: tuple[tuple[Who, str], ...] = tuple(
    (who, precision) for precision in PRECISIONS for who in ("plain", "pokeopt")
)
CORES = os.cpu_count() or 1
N_WORKERS = (0, 2) if CORES < 8 else (0, 2, 8)  # of the DataLoader; the plain side has the fastest of them
DIGITS = {"macro_f1": 3, "mse": 5}


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: Seeds; in each, every way trains a network of its own.
        epochs: Of each network.
        threads: CPU threads, the same for both sides.
        device: ``cpu`` or ``cuda``.
        limit: Images of a family's data; None takes ``LIMITS`` on the CPU, the search space's own on a GPU.
    """

    rounds: int = 3
    epochs: int = 3
    threads: int = CORES
    device: str = "cpu"
    limit: int | None = None


@dataclass(frozen=True)
class Way:
    """One of the four ways that a family is trained.

    Attributes:
        who: ``plain`` or ``pokeopt``.
        precision: ``fp32`` or ``bf16``.
        n_workers: Of the DataLoader, where there is one.
        seconds: Of every epoch of every round.
        scores: On the validation part, after the last epoch of each round.
    """

    who: Who
    precision: str
    n_workers: int
    seconds: tuple[float, ...]
    scores: tuple[float, ...]

    @property
    def s_per_epoch(self) -> float:
        """The median."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Measured:
    """What the benchmark of a family found.

    Attributes:
        family: Its name.
        metric: Of the scores.
        n_train: Training images.
        n_val: Validation images.
        ways: Of training it, all four.
    """

    family: str
    metric: str
    n_train: int
    n_val: int
    ways: tuple[Way, ...]

    def way(self, who: Who, precision: str) -> Way:
        """Return one of its ways."""
        return next(way for way in self.ways if (way.who, way.precision) == (who, precision))

    def ratio(self, plain: str, ours: str) -> float:
        """Return how many times as fast our epoch in one precision is as the plain one in another."""
        return self.way("plain", plain).s_per_epoch / self.way("pokeopt", ours).s_per_epoch


def run(families: Sequence[str], size: Size, *, as_json: bool = False) -> None:
    """Measure families one after the other and print the table."""
    found = []
    for family in families:
        found.append(measure(family, size))
        if not as_json:
            print(f"{family} measured, load {os.getloadavg()[0]:.1f}", flush=True)
    if as_json:
        print(json.dumps({"size": asdict(size), "families": [asdict(one) for one in found]}))
    else:
        print("", *table(found), "", *notes(size), sep="\n")


def measure(family: str, size: Size) -> Measured:
    """Train one family in all four ways, in turn."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "images"
        tasks = {precision: _task(family, precision, Path(home), size) for precision in PRECISIONS}
        with Side("plain", folder) as plain, Side("pokeopt", folder) as ours:
            ours.write(tasks["fp32"])
            n_workers = {precision: better_workers(plain, task) for precision, task in tasks.items()}
            for precision, task in tasks.items():  # the first epoch allocates and compiles
                ours.begin(precision, task, seed=0)
                ours.epoch(precision)
            sides: dict[Who, Side] = {"plain": plain, "pokeopt": ours}
            found: dict[tuple[Who, str], list[Epoch]] = {way: [] for way in WAYS}
            for seed in range(size.rounds):
                for who, precision in WAYS:
                    sides[who].begin(precision, tasks[precision], seed, n_workers[precision])
                for epoch in range(size.epochs):
                    # there and back: a drift of the machine hits all ways
                    is_there = (seed * size.epochs + epoch) % 2 == 0
                    for who, precision in WAYS if is_there else reversed(WAYS):
                        found[who, precision].append(sides[who].epoch(precision))
        counts = {part: len(list((folder / part).glob("*/*.png"))) for part in ("train", "val")}
    ways = tuple(
        Way(
            who,
            precision,
            n_workers[precision] if who == "plain" else 0,
            tuple(epoch.seconds for epoch in epochs),
            tuple(epoch.score for epoch in epochs[size.epochs - 1 :: size.epochs]),
        )
        for (who, precision), epochs in found.items()
    )
    metric = tasks["fp32"].objective.partition("/")[2]
    return Measured(family, metric, counts["train"], counts["val"], ways)


def better_workers(plain: Side, task: TrialTask) -> int:
    """Return which number of the DataLoader's workers is the faster one for a task."""
    name = str(task.config["training"]["precision"])
    seconds: dict[int, float] = {}
    for n_workers in (N_WORKERS[0], *N_WORKERS):  # the first epoch warms up, and its time is overwritten
        plain.begin(name, task, seed=0, n_workers=n_workers)
        seconds[n_workers] = plain.epoch(name).seconds
    return min(seconds, key=lambda n_workers: seconds[n_workers])


def table(found: Sequence[Measured]) -> list[str]:
    """Return the lines of a Markdown table: a row for each family, and the median of the ratios over them."""
    head = ["family", "images", "plain fp32, s", "plain bf16, s", "pokeopt fp32, s", "pokeopt bf16, s"]
    head += ["times as fast, fp32", "bf16", "pokeopt bf16 to plain fp32", "workers"]
    head += ["score", "plain fp32", "pokeopt fp32", "plain bf16", "pokeopt bf16"]
    rows = [head, ["---"] * len(head)]
    pairs = (("fp32", "fp32"), ("bf16", "bf16"), ("fp32", "bf16"))
    for one in found:
        ways = [one.way(who, precision) for who in ("plain", "pokeopt") for precision in PRECISIONS]
        rows.append(
            [
                one.family,
                f"{one.n_train} + {one.n_val}",
                *(f"{way.s_per_epoch:.2f}" for way in ways),
                *(f"{one.ratio(*pair):.2f}" for pair in pairs),
                ", ".join(str(way.n_workers) for way in ways[: len(PRECISIONS)]),
                one.metric,
                *(mean_and_sd(one.way(*way).scores, DIGITS[one.metric]) for way in WAYS),
            ]
        )
    medians = [f"{statistics.median(one.ratio(*pair) for one in found):.2f}" for pair in pairs]
    rows.append(["median", *[""] * 5, *medians, *[""] * 6])
    return [f"| {' | '.join(row)} |" for row in rows]


def mean_and_sd(scores: Sequence[float], digits: int) -> str:
    """Return the mean and, of several, the standard deviation."""
    spread = f" ± {statistics.stdev(scores):.{digits}f}" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.{digits}f}{spread}"


def notes(size: Size) -> list[str]:
    """Return what has to be known to read the table."""
    return [
        "plain: PyTorch and torchvision with a DataLoader over PNG files of the final size, without a fused optimizer;",
        "pokeopt: its training loop on the filled image cache. Both train the networks of the baselines in",
        f"search_spaces/ in turn, on the {size.device}, with {size.threads} CPU threads each. An epoch is training",
        f"and validation; its seconds are the median of {size.rounds * size.epochs}. images: to train and to validate.",
        f"workers: of the DataLoader in fp32 and in bf16, the fastest of {', '.join(map(str, N_WORKERS))}.",
        f"score: on the validation part after {size.epochs} epochs, mean ± SD over {size.rounds} seeds.",
    ]


def _task(family: str, precision: str, home: Path, size: Size) -> TrialTask:
    limit = size.limit or (LIMITS[family] if size.device == "cpu" else None)
    task = baseline_task(family, home, limit=limit, epochs=size.epochs, precision=precision)
    return replace(task, threads=size.threads, device=size.device)
