# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: run test check install bench golden lock clean help

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python must be 3.11 or newer, was $$($(PYTHON) --version); set PYTHON=python3.x"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_STAMP)

run: $(RUN_STAMP) ## install, start on the embedded default and print the address
	$(BIN)/python -m dashboard

install: $(DEV_STAMP) ## make .venv with every extra and the developer tools

test: $(DEV_STAMP) ## install and run every test
	$(BIN)/python -m pytest --ignore=tests/e2e $(SHARED)
	$(BIN)/python -m pytest tests/e2e

check: $(DEV_STAMP) ## lint, types, layers, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

bench: $(DEV_STAMP) ## measure speed beside a peer; prints a table and writes benchmarks/results.json
	$(BIN)/python -m benchmarks

golden: $(DEV_STAMP) ## renew the recorded golden day on purpose
	$(BIN)/python -m tests.golden.renew

# A file of tests stays in one process. A browser with its server needs the processors for itself, so those tests come by themselves.
SHARED := --numprocesses=auto --maxprocesses=4 --dist=loadfile

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	--no-header --python-version 3.11 pyproject.toml

lock: $(DEV_STAMP) ## renew both lock files to the newest versions allowed
	$(LOCK) --upgrade --extra build -o requirements.lock
	$(LOCK) --upgrade --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
