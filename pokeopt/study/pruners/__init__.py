"""The pruners: who stops a hopeless trial. Settings are Optuna's keyword names."""
