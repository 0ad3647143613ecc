"""``python -m pokeopt``: the same as the command ``pokeopt``."""

from pokeopt.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
