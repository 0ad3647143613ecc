"""Which configurations answer the question why, and what their scores say. Pure: no torch, no ray, no
storage.
"""

from pokeopt.ablation.arms import Arm, build_arms, reference_of
from pokeopt.ablation.cells import Cell, missing_cells, plan_cells, rows_by_arm, superseded
from pokeopt.ablation.hashes import config_hash
from pokeopt.ablation.statistics import Effect, Level, holm, level, paired_difference, seeds_to_settle, wilson

__all__ = [
    "Arm",
    "Cell",
    "Effect",
    "Level",
    "build_arms",
    "config_hash",
    "holm",
    "level",
    "missing_cells",
    "paired_difference",
    "plan_cells",
    "reference_of",
    "rows_by_arm",
    "seeds_to_settle",
    "superseded",
    "wilson",
]
