"""Ablation plans as confirm studies: what each is to hold, and the running of several in one session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pokeopt.ablation.arms import Arm
from pokeopt.errors import UserError
from pokeopt.spec import PlanSpec
from pokeopt.store import Store
from pokeopt.study.confirm import Confirm, open_confirm
from pokeopt.study.facts import check_classes, distinct_data, prepare_configs
from pokeopt.study.identity import check_data
from pokeopt.study.launch import Launch, Outcome, drive
from pokeopt.study.nested import run_searches, tuned_configs


def prepare_plan(plan: PlanSpec, store: Store) -> dict[str, Any]:
    """Read the data of every arm and return the facts of the reference's; nothing is written about a study yet.

    Raises:
        UserError: If data cannot be used, a metric names an unknown class, or the data is not what the study began on.
    """
    check_study(plan, store)
    of_arm = {id(arm.config): arm for arm in plan.arms}
    configs = distinct_data(arm.config for arm in plan.arms)
    facts = prepare_configs(configs, store, lambda config, key: of_arm[id(config)].where(key))
    names = (*plan.study.objectives, *plan.metrics, *(claim.metric for claim in plan.claims))
    check_classes(plan.study, names, facts["data"]["classes"], plan.named)
    if plan.name in store.names():
        check_data(plan.name, store.load(plan.name, exact=True).attrs.get("data_hash"), facts["data_hash"])
    return facts


def check_study(plan: PlanSpec, store: Store) -> None:
    """Refuse a plan with the name of a stored search.

    Raises:
        UserError: Naming the plan's file.
    """
    if plan.name in store.names() and store.load(plan.name, exact=True).kind != "confirm":
        what = f"a search is called '{plan.name}' already"
        raise UserError(plan.path, what, "give the plan another name")


def run_plan(plan: PlanSpec, facts: Mapping[str, Any], launch: Launch, precision: str) -> Outcome:
    """Run the missing cells of a plan and return how that ended.

    Args:
        plan: The plan.
        facts: What ``prepare_plan`` returned.
        launch: How this command runs studies.
        precision: What ``training.precision: auto`` means on this launch's device; a study goes on with its own.
    """
    store = launch.store
    stored = store.load(plan.name, exact=True).attrs if plan.name in store.names() else {}
    precision = str(stored.get("precision", precision))
    configs = {arm.id: _settled(arm.config, precision) for arm in plan.arms}
    if plan.retune:
        tuned, outcome = tuned_configs(plan, launch)
        if outcome is not None:
            return outcome
        configs |= {id_: _settled(config, precision) for id_, config in tuned.items()}
    wanted = _confirm(plan, configs, {**facts, "precision": precision})
    if plan.unit == "search":
        return run_searches(plan, wanted, launch)
    return drive(open_confirm(wanted, launch), launch)


def _confirm(plan: PlanSpec, configs: Mapping[str, Mapping[str, Any]], first: Mapping[str, Any]) -> Confirm:
    arms = []
    for arm in plan.arms:
        of = arm.prefix[0] if arm.prefix else arm.id
        prefix = {"of": arm.prefix[0], "epochs": arm.prefix[1]} if arm.prefix else None
        arms.append(Arm(arm.id, arm.id, {}, arm.changes, configs[of], arm.levels, prefix))
    resources = plan.study.resources
    if plan.is_quick:  # nobody goes on from a smoke test: of its checkpoints only the best one stays
        resources = replace(resources, checkpoint_gb=0.0)
    study = replace(plan.study, ablation=None, resources=resources)
    return Confirm(
        name=plan.name,
        spec=study,
        arms=arms,
        seeds=plan.seeds,
        resample=plan.resample,
        fidelity="smoke" if plan.is_quick else plan.fidelity,
        first=first,
        now={"plan": plan.as_attribute()},
    )


def _settled(config: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """Return the configuration with ``precision: auto`` settled: a later launch goes on with the same arithmetic."""
    training = config["training"]
    return (
        {**config, "training": {**training, "precision": precision}}
        if training["precision"] == "auto"
        else dict(config)
    )
