"""``python -m benchmarks``: time pokeopt against its peers, in turn, on one machine, in one run.

``study`` runs 24 configurations by pokeopt and by plain Ray Tune; ``families`` trains an epoch of each model family by
pokeopt's loop and by plain PyTorch; without a word, both. ``simulate`` plants effects in made-up scores and counts what
the verdicts find of them; it times nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.configurations import configurations

ORDER = "ABBAAB"  # A pokeopt, B plain Ray Tune; a drift of the machine hits both
SEEDS = (0, 0, 1, 1, 2, 2)
F1_LONGEST = 3  # the score is the mean of the longest trials: one-epoch trials are mostly noise


def main() -> None:
    """Run the benchmarks and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("study", "families", "simulate"),
        help="one of them; study and families by default",
    )
    parser.add_argument(
        "--rounds", type=int, help="study: how many of the turns A B B A A B; families: how many seeds"
    )
    parser.add_argument("--trials", type=int, default=24, help="the last so many of the 24 configurations")
    parser.add_argument("--families", metavar="A,B", help="some of them; all by default")
    parser.add_argument("--epochs", type=int, help="families: of each network")
    parser.add_argument(
        "--threads", type=int, help="families: CPU threads of each side; all cores by default"
    )
    parser.add_argument("--limit", type=int, help="families: images of each, in all parts together")
    parser.add_argument("--studies", type=int, default=4000, help="simulate: synthetic studies of each cell")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, a line each")
    parser.add_argument("--full", action="store_true", help="take all turns three times over")
    parser.add_argument("--gpu", action="store_true", help="two trials share a GPU; the families train on it")
    parser.add_argument("--side", choices="AB", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        print(json.dumps(run_side(args.side, args.folder, args.seed, args.trials, 0.5 if args.gpu else 0.0)))
        return
    if args.what == "simulate":
        from benchmarks import planted  # not at the top: see run_families

        raise SystemExit(min(planted.run(args.studies, args.seed), 1))
    repeats = 3 if args.full else 1
    if args.what != "families":
        run_study(args, repeats)
    if args.what != "study":
        run_families(args, repeats)


def run_families(args: argparse.Namespace, repeats: int) -> None:
    """Measure an epoch of each family, and print the table."""
    from benchmarks import families  # not at the top: the sides of the study would be slower to start

    chosen = args.families.split(",") if args.families else families.FAMILIES
    for name in chosen:
        if name not in families.FAMILIES:
            raise SystemExit(f"there is no family '{name}' among {', '.join(families.FAMILIES)}")
    given = {"rounds": args.rounds, "epochs": args.epochs, "threads": args.threads, "limit": args.limit}
    size = families.Size(**{key: value for key, value in given.items() if value is not None})
    size = replace(size, rounds=size.rounds * repeats, device="cuda" if args.gpu else "cpu")
    families.run(chosen, size, as_json=args.json)


def run_study(args: argparse.Namespace, repeats: int) -> None:
    """Take the turns of pokeopt and plain Ray Tune, and print how they compare."""
    rounds = max(args.rounds or len(ORDER), 2)  # one of each side at least
    turns = list(zip(ORDER, SEEDS, strict=True))[:rounds] * repeats
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder))
        seconds: dict[str, list[float]] = {"A": [], "B": []}
        scores: dict[str, list[float]] = {"A": [], "B": []}
        for side, seed in turns:
            taken, f1 = timed(side, Path(folder), seed, args.trials, args.gpu)
            seconds[side].append(taken)
            scores[side].append(f1)
            who = "pokeopt" if side == "A" else "plain Ray Tune"
            print(
                f"{who:15s} seed {seed}: {taken:6.1f} s, macro-F1 {f1:.3f}, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    report(seconds, scores, args.json)


def report(seconds: dict[str, list[float]], scores: dict[str, list[float]], as_json: bool) -> None:
    """Print the ratio and the difference of the scores."""
    ratio = statistics.median(seconds["B"]) / statistics.median(seconds["A"])
    differences = [a - b for a, b in zip(scores["A"], scores["B"], strict=False)]
    mean = statistics.fmean(differences)
    spread = statistics.stdev(differences) if len(differences) > 1 else float("nan")
    if as_json:
        print(json.dumps({"seconds": seconds, "scores": scores, "ratio": ratio, "f1_difference": mean}))
        return
    print(
        f"\npokeopt is {ratio:.1f} times as fast as plain Ray Tune (medians of {len(seconds['A'])} runs each)"
    )
    print(f"macro-F1, pokeopt minus plain: {mean:+.3f}, SD {spread:.3f} over {len(differences)} seeds")


def timed(side: str, folder: Path, seed: int, trials: int, on_gpu: bool) -> tuple[float, float]:
    """Run one side in a process of its own, start-up and imports included; return (seconds, macro-F1)."""
    command = [sys.executable, "-m", "benchmarks", "--side", side, "--folder", str(folder)]
    command += ["--seed", str(seed), "--trials", str(trials), *(["--gpu"] if on_gpu else [])]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    by_name = json.loads(done.stdout.strip().splitlines()[-1])
    longest = sorted(by_name)[-F1_LONGEST:]
    return taken, statistics.fmean(by_name[name] for name in longest)


def run_side(side: str, folder: Path, seed: int, trials: int, gpus: float) -> dict[str, float]:
    """Do the work of one side."""
    configs = configurations(trials)
    if side == "A":
        from benchmarks import ours

        return ours.run(configs, folder / "home", seed, gpus)
    from benchmarks import plain_ray

    facts = json.loads((folder / "facts.json").read_text())
    return plain_ray.run(configs, folder / "images", facts["mean"], facts["std"], seed, gpus)


def write_images(folder: Path) -> None:
    """Write the cropped creatures as ImageFolder wants them, with the split and statistics that our side uses."""
    import numpy as np
    from PIL import Image

    from benchmarks.ours import SPACE
    from pokeopt.data import prepare
    from pokeopt.spec import load_study

    path = folder / "bench.yaml"
    path.write_text(SPACE)
    dataset = prepare(load_study(path).space.config({})["data"], folder / "home" / "cache")
    for part in ("train", "val"):
        for i in getattr(dataset, part):
            target = folder / "images" / part / dataset.classes[dataset.labels[i]]
            target.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(dataset.images[i]).transpose(1, 2, 0)).save(target / f"{i}.png")
    train = np.asarray(dataset.images[dataset.train]) / 255.0
    facts = {"mean": train.mean((0, 2, 3)).tolist(), "std": train.std((0, 2, 3)).tolist()}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
