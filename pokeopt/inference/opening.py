"""What MODEL means on a command line: an exported file, or a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pokeopt.errors import StoreError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes, Outputs, run_graph
from pokeopt.inference.model import Model, load_model
from pokeopt.inference.package import SUFFIXES, Run
from pokeopt.inference.weights import Trained, find_trial, retrained_networks, trial_networks
from pokeopt.store import Store, StudyView, TrialRow

SEEDS = "seeds"
WEIGHTS = ("retrained", "trial")


def open_model(
    store: Store,
    target: str,
    *,
    trial: int | None = None,
    weights: str | None = None,
    seed: int | None = None,
    ensemble: str | None = None,
) -> Model:
    """Return the model that a word stands for.

    Args:
        store: Where studies lie.
        target: An exported file, or a study's name.
        trial: Of a study: this trial instead of the best.
        weights: Of a study: ``retrained`` or ``trial``; by default retrained ones where there are some.
        seed: Of a study: the network of this seed; by default the first.
        ensemble: Of a study: a number N, to average its N best trials, or ``seeds``, to average all retrained seeds.

    Raises:
        UserError: If it is neither, or an option does not fit it.
        StoreError: If the weights are not there.
    """
    path = Path(target)
    if path.suffix.lower() in SUFFIXES and target not in store.names():
        given = {"--trial": trial, "--weights": weights, "--seed": seed, "--ensemble": ensemble}
        wrong = next((name for name, value in given.items() if value is not None), None)
        if wrong:
            raise UserError(wrong, f"{path.name} is one network", "name a study, or take the option out")
        return load_model(path)
    view = store.load(target)
    if ensemble is not None:
        given = {"--weights": weights, "--seed": seed}
        wrong = next((name for name, value in given.items() if value is not None), None)
        if wrong:
            raise UserError(wrong, "an ensemble takes all of its networks", "take one of the two options out")
        return Model([_member(one) for one in _ensemble(store, view, trial, ensemble)])
    return Model([_member(choose_network(store, view, trial, weights, seed))])


def choose_network(
    store: Store, view: StudyView, trial: int | None, weights: str | None, seed: int | None
) -> Trained:
    """Return one network of a study; see ``open_model``."""
    if weights is not None and weights not in WEIGHTS:
        raise UserError("--weights", f"'{weights}' is neither", f"give {' or '.join(WEIGHTS)}")
    row = find_trial(view, trial)
    found = retrained_networks(store, view, row) if weights != "trial" else []
    if not found and weights == "retrained":
        what = "it was not retrained"
        mend = f"run pokeopt retrain {view.name} --trial {row.number}"
        raise StoreError(f"{view.name} trial {row.number}", what, mend)
    found = found or trial_networks(store, view, row)
    if seed is None:
        return found[0]
    known = {one.card.seed: one for one in found}
    if seed not in known:
        seeds = ", ".join(map(str, known))
        raise UserError("--seed", f"there is no network of seed {seed}", f"known: {seeds}")
    return known[seed]


def _ensemble(store: Store, view: StudyView, trial: int | None, text: str) -> Sequence[Trained]:
    if text == SEEDS:
        row = find_trial(view, trial)
        found = retrained_networks(store, view, row)
        if not found:
            mend = f"run pokeopt retrain {view.name} --trial {row.number} --seeds 5"
            raise StoreError(f"{view.name} trial {row.number}", "it was not retrained", mend)
        return found
    if not text.isdecimal() or int(text) < 1:
        what = f"'{text}' is no number of trials"
        raise UserError("--ensemble", what, "give a number from 1, or seeds for all retrained seeds")
    if trial is not None:
        raise UserError("--trial", "an ensemble of the best trials chooses them itself", "take it out")
    find_trial(view, None)  # the errors of a study that has no best
    sign = -1 if view.directions[0] == "maximize" else 1
    ranked = sorted(
        (row for row in view.complete if row.value is not None and _keeps_constraints(row)),
        key=lambda row: (sign * (row.value or 0.0), row.number),
    )
    n = int(text)
    if len(ranked) < n:
        what = f"it has {len(ranked)} complete trials, not {n}"
        raise UserError(view.name, what, "give a smaller --ensemble")
    return [one for row in ranked[:n] for one in trial_networks(store, view, row)]


def _keeps_constraints(row: TrialRow) -> bool:
    return all(value <= 0 for value in row.attrs.get("constraints", {}).values())


def _member(one: Trained) -> tuple[Card, Run]:
    def run(images: Bytes) -> Outputs:
        return run_graph(one.graph, one.card.outputs, images)

    return one.card, run
