"""The section on cost: what a score costs, and what could have been saved."""

from __future__ import annotations

from statistics import median

from pokeopt.ablation.planning import best_of_n_optimism
from pokeopt.report.blocks import Block, Section, Text, headed, present
from pokeopt.report.cost_figures import expected, replay_table
from pokeopt.report.pareto import arm_points, pareto, search_points
from pokeopt.report.summary import SearchSummary, StudySummary
from pokeopt.report.words import PARTS, metric_name, number, plural

SHARES = ("accuracy", "macro_f1")  # scores that are a share of images, exactly or nearly


def cost_section(found: StudySummary, prefix: str, *, several: bool) -> Section | None:
    """Return the section of one study; None where nothing is known of cost."""
    id_ = f"{prefix}cost"
    ablation, search = found.ablation, found.search
    blocks: list[Block | None] = []
    if ablation is not None:
        points = arm_points(ablation)
        blocks.append(pareto(points, ablation.metric, ablation.direction, f"{id_}-arms", "arm", is_mean=True))
    if search is not None:
        blocks.append(
            pareto(
                search_points(search),
                search.metrics[0],
                search.directions[0],
                f"{id_}-trials",
                "trial",
                is_mean=False,
            )
        )
        blocks.append(expected(search, f"{id_}-expected"))
        blocks.append(_optimism(found, search))
    blocks += [replay_table(one, f"{id_}-replay-{i}") for i, one in enumerate(found.replays)]
    shown = present(blocks)
    return (
        Section(id_, headed("Cost: what a score takes", found.title, several=several), shown)
        if shown
        else None
    )


def _optimism(found: StudySummary, search: SearchSummary) -> Text | None:
    """Say how much of the best score is luck of the draw, where the score is a share of images."""
    part, _, name = search.metrics[0].partition("/")
    images = found.data.sizes.get(part) if found.data else None
    scores = [trial.values[0] for trial in search.trials if trial.state == "complete" and trial.values]
    if name not in SHARES or not images or len(scores) < 2 or not 0 < median(scores) < 1:
        return None
    typical = median(scores)
    luck = best_of_n_optimism(len(scores), typical, images)
    like = "" if name == "accuracy" else f", taking {metric_name(search.metrics[0])} for an accuracy"
    return Text(
        (
            f"The best of many looks good partly by luck. Were all {plural(len(scores), 'complete trial')} equal, with "
            f"the middle score of {number(typical)} on {images} {PARTS.get(part, part)} images and independent "
            f"errors, the best of them would still be expected at {number(typical + luck)}, "
            f"{number(luck, sign=True)} above{like}. "
            "Trials share their images, so their errors are not independent and the true figure is smaller. The score "
            "of the best on the locked test part does not have this bias.",
        ),
        title="How much of the best score is selection?",
    )
