"""Ask, place, tell: Optuna proposes, Ray Tune places, a pruner decides. The only importer of ray (and that lazily)."""
