"""The pruners: who stops a hopeless trial. Settings are Optuna's keyword names."""

from pokeopt.study.pruners.members import try_out

__all__ = ["try_out"]
