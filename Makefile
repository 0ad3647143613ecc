# Every target builds .venv by itself; a machine needs Python 3.11 or newer and make, nothing else.
# PYTHON=python3.12 picks the interpreter, PIP_ARGS is handed to pip, ARGS to the command of the target.
PYTHON ?= python3
PY := .venv/bin/python
SPACE ?= search_spaces/mlp.yaml

.DEFAULT_GOAL := help
.PHONY: help .venv run test test-all test-gpu check bench bench-full bench-gpu fuzz soak clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[.a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv: .venv/made  ## Build the environment (again, if pyproject.toml changed)

.venv/made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PY) -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --editable '.[dev]'
	@touch $@

run: .venv  ## Search, confirm and report on the built-in data (SPACE=... for another file)
	$(PY) -m pokeopt run $(SPACE) $(ARGS)

# Tests that drive whole studies have the machine to themselves: they watch clocks and processes.
test: .venv  ## Run the fast tests
	@.ci/chromium
	$(PY) -m pytest -m 'not slow and not gpu' --numprocesses auto --dist loadfile --ignore tests/study --ignore tests/cli $(ARGS)
	$(PY) -m pytest -m 'not slow and not gpu' tests/study tests/cli $(ARGS)

test-all: .venv  ## Run every test that needs no GPU
	@.ci/chromium
	$(PY) -m pytest -m 'not gpu' $(ARGS)

test-gpu: .venv  ## Run the tests that need a GPU
	$(PY) -m pytest -m gpu $(ARGS)

check: .venv  ## Check format, style and types; the same as CI
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: .venv  ## Measure against plain Ray Tune, and each family against a plain PyTorch loop
	$(PY) -m benchmarks $(ARGS)

bench-full: .venv  ## Measure everything, about an hour
	$(PY) -m benchmarks --full $(ARGS)

bench-gpu: .venv  ## Measure on a GPU
	$(PY) -m benchmarks --gpu $(ARGS)

fuzz: .venv  ## Run the property tests with a hundred times the examples
	$(PY) -m pytest -m 'not gpu' --hypothesis-profile=fuzz tests/spec tests/ablation $(ARGS)

soak: .venv  ## Kill and resume one study at many random moments
	POKEOPT_KILLS=10 $(PY) -m pytest -m slow tests/study/test_kill.py $(ARGS)

clean:  ## Remove caches and reports; .pokeopt/ (your studies) and .venv stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist build
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
	find reports -name '*.html' -not -name 'example*.html' -delete 2>/dev/null || true
