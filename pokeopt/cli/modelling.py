"""``retrain``, ``export``, ``evaluate``, ``predict``: the model after the search."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pokeopt.cli.options import Home, Json, Name, Storage, at_least, store_at
from pokeopt.cli.output import console, error_line, print_facts, print_json, print_table, say, warn
from pokeopt.cli.sources import data_of
from pokeopt.cli.words import duration, plural, score, size

if TYPE_CHECKING:
    from pokeopt.inference.card import Card
    from pokeopt.inference.evaluate import Evaluation
    from pokeopt.inference.predict import Predicted
    from pokeopt.inference.retrain import RetrainResult

MOST_COLUMNS = 5
Trial = Annotated[
    int | None,
    typer.Option("--trial", metavar="N", help="This trial instead of the best.", show_default=False),
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="WHICH",
        help="Of a study: retrained, or trial for those that its search kept.",
        show_default="retrained where there are some",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="The network of this seed.", show_default="the first"),
]
Ensemble = Annotated[
    str | None,
    typer.Option(
        "--ensemble",
        metavar="N",
        help="Average the N best trials of a study, or with `seeds` all retrained seeds.",
        show_default=False,
    ),
]
ModelWord = Annotated[
    str, typer.Argument(metavar="MODEL", help="An exported file, or a study.", show_default=False)
]


def retrain(
    name: Name,
    trial: Trial = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="So many networks, of seeds 0 on.")] = 5,
    on: Annotated[
        str, typer.Option("--on", metavar="PARTS", help="What to learn from: train or train+val.")
    ] = "train+val",
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Train the chosen configuration again: the final model.

    Each network is trained for as many epochs as the trial's kept one, at the trial's learning rates, and is scored on
    the test part once. The same command goes on where it was stopped, and adds seeds.
    """
    from pokeopt.inference import retrain as train_again

    at_least("--seeds", seeds, 1)
    store = store_at(storage, home)
    try:
        with _progress(seeds, shown=not as_json) as tell:
            result = train_again(store, name, trial=trial, seeds=tuple(range(seeds)), on=on, tell=tell)
    except KeyboardInterrupt:
        warn("stopped; the same command goes on from the last checkpoint")
        raise
    if as_json:
        print_json(_retrained_as_plain(result))
        return 0
    epochs = plural(result.epochs, "epoch")
    say(f"{result.study} trial {result.trial}, retrained on {result.on} for {epochs}")
    say()
    _print_seeds(result.cards)
    say()
    networks = f"{plural(len(result.cards), 'network')}, {len(result.new)} of them new"
    print_facts({"weights": str(result.folder), "trained": f"{networks}, in {duration(result.wall_s)}"})
    say()
    times = plural(result.n_reads, "network")
    say(
        f"note: this test part had been scored by {times} of {result.study} before; what is chosen by it, it flatters"
    )
    return 0


def export(
    name: Name,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="model.pt2 or model.onnx.", show_default=False),
    ],
    trial: Trial = None,
    weights: Weights = None,
    seed: Seed = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Write a model with all it needs into one file.

    The file holds weights, normalisation, classes, the preprocessing to do before, metrics and a model card. It gets
    its name only when it answers as the network does on images of the study, to 1e-5.
    """
    from dataclasses import asdict

    from pokeopt.inference import export_model

    result = export_model(store_at(storage, home), name, output, trial=trial, weights=weights, seed=seed)
    if as_json:
        print_json(asdict(result))
        return 0
    card, largest = result.card, f"largest difference {result.difference:.1g}"
    checked = f"{plural(result.n_checked, 'image')} answered as by the network, {largest}"
    if result.from_trial is not None:
        checked += f"; as the trial stored, {result.from_trial:.1g}"
    channels, height, width = card.input_shape
    facts = {
        "model": card.label,
        "file": f"{result.path}, {size(result.n_bytes)}",
        "input": f"bytes (N, {channels}, {height}, {width}), {card.channels}",
        "before it": ", ".join(map(_step, card.preprocess)) or "no preprocessing but the resizing",
        "output": ", ".join(card.outputs),
        "checked": checked,
    }
    print_facts(facts)
    return 0


def evaluate(
    model: ModelWord,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A .csv of labels, a folder of class folders, a search-space file or a source's name.",
            show_default=False,
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting of the source; may be repeated.", show_default=False
        ),
    ] = None,
    trial: Trial = None,
    weights: Weights = None,
    seed: Seed = None,
    ensemble: Ensemble = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Score a model on a labelled set that no study has seen.

    Of a study the result is stored, too, and its next report shows it beside the scores here.
    """
    from pokeopt.inference import evaluate as evaluate_model
    from pokeopt.inference import open_model
    from pokeopt.inference.evaluate import keep_evaluation
    from pokeopt.inference.package import SUFFIXES

    store = store_at(storage, home)
    section, _ = data_of(data, settings or ())
    chosen = open_model(store, model, trial=trial, weights=weights, seed=seed, ensemble=ensemble)
    found = evaluate_model(chosen, section, store.cache_dir)
    is_file = Path(model).suffix.lower() in SUFFIXES and model not in store.names()
    study = None if is_file else keep_evaluation(store, chosen, found)
    if as_json:
        print_json(_evaluation_as_plain(found) | {"study": study})
        return 0
    say(f"{found.model} on {found.data}: {plural(found.n, 'image')} of {found.n_classes} classes")
    for note in found.notes:
        say(note)
    say()
    _print_evaluation(found)
    if study is not None:
        say()
        say(f"stored with {study}; pokeopt report {study} shows it beside the scores here")
    return 0


def predict(
    model: ModelWord,
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="A folder of images.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .csv for Id,label; a folder where the model makes images.",
            show_default=False,
        ),
    ],
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column for each class.")
    ] = False,
    condition: Annotated[
        Path | None,
        typer.Option(
            "--condition",
            metavar="DIR",
            help="Conditions of the images, of equal names, where the model takes some.",
            show_default=False,
        ),
    ] = None,
    trial: Trial = None,
    weights: Weights = None,
    seed: Seed = None,
    ensemble: Ensemble = None,
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Write the class of every image of a folder.

    An image's Id is its name without suffix. A model that makes images writes these.
    """
    from pokeopt.inference import open_model, predict_folder
    from pokeopt.inference.images import UnreadableImagesError

    chosen = open_model(
        store_at(storage, home), model, trial=trial, weights=weights, seed=seed, ensemble=ensemble
    )
    try:
        done = predict_folder(chosen, images, output, probabilities=probabilities, conditions=condition)
    except UnreadableImagesError as error:
        for one in error.errors:
            error_line(one.where, one.what, one.mend)
        raise
    _print_predicted(chosen.label, done)
    return 0


@contextmanager
def _progress(n_networks: int, *, shown: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Yield what shows how far the networks are, on a terminal; elsewhere nothing is shown."""
    target = console(sys.stderr)
    if not shown or not target.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=target, transient=True) as bar:
        line = bar.add_task("retraining", total=None)

        def tell(n_done: int, epoch: int, epochs: int) -> None:
            text = f"network {n_done + 1} of {n_networks}, epoch {epoch} of {epochs}"
            total = n_networks * max(epochs, 1)
            bar.update(line, description=text, total=total, completed=n_done * epochs + epoch)

        yield tell


def _print_seeds(cards: Sequence[Card]) -> None:
    """Print the scores of each seed, and their mean and spread."""
    from pokeopt.inference.card import shown_metrics

    names = list(shown_metrics(cards[0].metrics))[:MOST_COLUMNS]
    rows = [[str(card.seed), *(score(card.metrics.get(name)) for name in names)] for card in cards]
    if len(cards) > 1:
        values = {name: [card.metrics[name] for card in cards if name in card.metrics] for name in names}
        rows.append(["mean", *(score(mean(values[name])) for name in names)])
        rows.append(["SD", *(score(stdev(values[name])) for name in names)])
    print_table(["seed", *names], rows, right=names)


def _print_evaluation(found: Evaluation) -> None:
    from pokeopt.inference.card import SHOWN

    shown = [name for name in SHOWN if name in found.metrics]
    classes = [name for name in found.metrics if name.startswith(("f1/", "class_mse/", "slice_mse/"))]
    rows = []
    for name in (*shown, *classes):
        ends = found.intervals.get(name)
        between = f"{score(ends[0])} to {score(ends[1])}" if ends else ""
        here = found.local.get(f"test/{name}")
        rows.append([name, score(found.metrics[name]), between, score(here) if here is not None else ""])
    columns = ["metric", found.data, "95 % over images", "on test"]
    print_table(columns, rows, right=columns[1:])


def _print_predicted(label: str, done: Predicted) -> None:
    from pokeopt.data.sources.base import passed_over

    facts = {"model": label, "images": str(done.n), "written": str(done.path)}
    print_facts(facts)
    if done.others:
        say(passed_over(done.others))
    if done.counts:
        say()
        rows = [[name, str(n), f"{n / done.n:.1%}"] for name, n in done.counts.items()]
        print_table(["predicted", "images", "share"], rows, right=("images", "share"))


def _retrained_as_plain(result: RetrainResult) -> dict[str, Any]:
    return {
        "study": result.study,
        "trial": result.trial,
        "on": result.on,
        "epochs": result.epochs,
        "folder": result.folder,
        "new": list(result.new),
        "test_scored_before": result.n_reads,
        "networks": [{"seed": card.seed, "metrics": dict(card.metrics)} for card in result.cards],
    }


def _evaluation_as_plain(found: Evaluation) -> dict[str, Any]:
    kept = ("model", "data", "data_hash", "n", "metrics", "intervals", "local", "at", "own", "notes")
    return {name: getattr(found, name) for name in kept}


def _step(component: str | Mapping[str, Any]) -> str:
    return component if isinstance(component, str) else next(iter(component))
