"""Data sets that are made once from somebody's files and kept in the folder of all state."""

from pokeopt.data.imports.sprites import ImportSummary, import_sprites

__all__ = ["ImportSummary", "import_sprites"]
