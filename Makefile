# tfkit: every task of a working day. `make` alone explains itself.

PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
HOME_OF_DEMO := build/demo

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check lint types imports docs bench bench-traces clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml uv.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || { $(BIN)/python -m ensurepip --default-pip >/dev/null \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"; }
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode
	@touch $@

demo: $(READY) ## bring a platform up on this machine, ask, look at the trace, take it down
	@rm -rf $(HOME_OF_DEMO) && mkdir -p $(HOME_OF_DEMO)
	@set -e; export TFKIT_HOME="$(CURDIR)/$(HOME_OF_DEMO)"; \
	trap '$(BIN)/tfkit --quiet down --yes >/dev/null 2>&1 || true' EXIT; \
	say() { printf '\n$$ tfkit %s\n' "$$*"; }; \
	say up; $(BIN)/tfkit up; \
	say 'ask "an encrypted S3 bucket with a 30-day lifecycle"'; \
	$(BIN)/tfkit ask "an encrypted S3 bucket with a 30-day lifecycle" -o $(HOME_OF_DEMO)/bucket; \
	say traces --since 1d; $(BIN)/tfkit traces --since 1d; \
	say down; $(BIN)/tfkit down --yes; trap - EXIT

# One more than there are cores, since tests wait for processes that they start.
WORKERS ?= $(shell python3 -c "import os; print((os.cpu_count() or 1) + 1)")
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(READY) ## run the tests
	$(PYTEST) -m "not thorough"

test-all: $(READY) ## run them with the long ones that others hold in short, and with an OPA built by Go
	TFKIT_TESTS_BUILD_OPA=1 $(PYTEST)

check: lint types imports test ## lint, types, import rules and tests: what a change must pass

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/pyrefly check

imports: $(READY)
	$(BIN)/lint-imports

docs: $(READY) ## write docs/cli.md from --help
	$(BIN)/python -m toolkit.cli.docs

bench-traces: $(READY) ## measure: the read side of traces, as ratios to DuckDB over all objects
	$(BIN)/python tests/bench/traces/measure.py

bench: $(READY) ## measure: up, up again, preview, down, as ratios to the calls alone
	$(BIN)/python tests/bench/deploy.py

clean: ## remove the environment and what demo and tests left
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache
