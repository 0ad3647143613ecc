"""The search samplers: who proposes the next configuration. Settings are Optuna's keyword names."""
