"""optuna-dashboard on the store: live, on this machine only, read-only unless asked otherwise."""

from pokeopt.dashboard.server import application, make_server

__all__ = ["application", "make_server"]
