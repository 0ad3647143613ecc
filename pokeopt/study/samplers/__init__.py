"""The search samplers: who proposes the next configuration. Settings are Optuna's keyword names."""

from pokeopt.study.samplers.base import try_out

__all__ = ["try_out"]
