"""Which configurations answer the question why, and what their scores say. Pure: no torch, no ray, no
storage.
"""

from pokeopt.ablation.arms import Arm, build_arms, reference_of
from pokeopt.ablation.cells import Cell, missing_cells, plan_cells, rows_by_arm, superseded
from pokeopt.ablation.equivalence import ROPE, Equivalence, tost
from pokeopt.ablation.estimates import Estimate, iqm, prediction_interval
from pokeopt.ablation.hashes import config_hash
from pokeopt.ablation.interaction import Interaction, interactions
from pokeopt.ablation.planning import best_of_n_optimism, detectable_effect, kendall_tau
from pokeopt.ablation.resampling import Hierarchical, hierarchical_interval, hierarchical_means
from pokeopt.ablation.shares import (
    Share,
    clopper_pearson,
    collapse_rate,
    collapsed,
    probability_of_improvement,
)
from pokeopt.ablation.statistics import Effect, Level, holm, level, paired_difference, seeds_to_settle, wilson
from pokeopt.ablation.verdicts import Part, Verdict, judge

__all__ = [
    "ROPE",
    "Arm",
    "Cell",
    "Effect",
    "Equivalence",
    "Estimate",
    "Hierarchical",
    "Interaction",
    "Level",
    "Part",
    "Share",
    "Verdict",
    "best_of_n_optimism",
    "build_arms",
    "clopper_pearson",
    "collapse_rate",
    "collapsed",
    "config_hash",
    "detectable_effect",
    "hierarchical_interval",
    "hierarchical_means",
    "holm",
    "interactions",
    "iqm",
    "judge",
    "kendall_tau",
    "level",
    "missing_cells",
    "paired_difference",
    "plan_cells",
    "prediction_interval",
    "probability_of_improvement",
    "reference_of",
    "rows_by_arm",
    "seeds_to_settle",
    "superseded",
    "tost",
    "wilson",
]
