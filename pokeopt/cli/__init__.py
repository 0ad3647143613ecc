"""The command line: argv -> one call. The only place that prints and that chooses an exit code."""

from pokeopt.cli.app import main

__all__ = ["main"]
