# The two commands of the README, and the ones a contributor needs. `make help` lists them.
PYTHON ?= python3
UV_VERSION = 0.13.9
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install play test format fuzz bench-receive bench-parse bench-send bench-desk clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

install: .venv/.locked ## Everything into .venv, exactly as locked

.venv/.locked: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mailhub needs Python 3.11 or newer; say PYTHON=…"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV= $(BIN)/uv sync --frozen --inexact --quiet
	touch $@

play: install ## A playable centre on loopback; ONCE=1 tells a story in the terminal and ends, STORY=lists another
	$(BIN)/mailhub play $(if $(ONCE),--once) $(if $(STORY),--story $(STORY))

test: install ## Format, lint, types, contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

format: install ## Put the code in the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: install ## Look for mails that break the reading, for SECONDS (60)
	$(BIN)/python -m tests.fuzz.fuzz_reading --seconds $(or $(SECONDS),60)

bench-receive: install ## Durable accept beside Postfix
	$(BIN)/python -m bench.receive $(if $(JSON),--json $(JSON))

bench-parse: install ## Full reading beside mail-parser and the standard library
	$(BIN)/python -m bench.parse $(if $(JSON),--json $(JSON))

bench-send: install ## Signed copies of an issue from the ledger to the wire, beside smtp-source and Mailman
	$(BIN)/python -m bench.send $(if $(JSON),--json $(JSON)) $(if $(LETTERS),--letters $(LETTERS))

bench-desk: install ## Questions from the wire to the outbox, beside Postfix's bare accept
	$(BIN)/python -m bench.desk $(if $(JSON),--json $(JSON))

clean: ## Forget the environment and the caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
