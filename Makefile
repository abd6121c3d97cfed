# Each target sets up what it needs by itself, in .venv, and does nothing twice.
#
#   make demo     everything on this machine, with an inbox to look into: http://localhost:8000
#   make serve    the service as the NEWSLETTER_… variables say
#   make test     the tests; ARGS="tests/signup -x" only some, PROCESSES=0 in one process
#   make check    all that must hold: style, types, imports, tests
#   make bench    measure it beside its peers, and write docs/performance.md; ARGS="sending --quick" tries one out
#   make format   put the source into the house's format
#   make setup    only the environment, for the program and its tests
#   make clean    remove the environment and the tools' caches; data stays

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench format clean

UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)

# Most tests wait for programs, browsers and clocks, so two cores are busy with four at a time. What is named in ARGS is
# run in one process.
PROCESSES ?= 4
PYTEST = $(BIN)/pytest $(if $(findstring tests/,$(ARGS)),,-n $(PROCESSES) --dist worksteal) $(ARGS)

export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
export UV_NO_PROGRESS := 1
# Compiled once, here: whoever runs it may not be able to write, or not want to.
export UV_COMPILE_BYTECODE := 1

help:
	@sed -n 's/^#   //p' Makefile

setup: .venv/.all .venv/.compiled

demo: .venv/.program .venv/.compiled
	@$(BIN)/newsletter demo $(ARGS)

serve: .venv/.program .venv/.compiled
	@$(BIN)/newsletter serve $(ARGS)

test: .venv/.all
	$(PYTEST)

check: .venv/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST)

bench: .venv/.all .venv/.compiled
	@$(BIN)/python -m benchmarks $(ARGS)

format: .venv/.all
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis .coverage dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv is needed: apt-get install python3-venv"; exit 1; }
	@echo "Making an environment in .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# What the program needs. What the tests need, where that is there already, is let be.
.venv/.program: pyproject.toml uv.lock | $(UV)
	@echo "Installing what the program needs"
	@$(UV) sync --quiet --frozen --no-dev --inexact --python $(BIN)/python
	@touch $@

.venv/.all: pyproject.toml uv.lock | $(UV)
	@echo "Installing what the program and its tests need"
	@$(UV) sync --quiet --frozen --python $(BIN)/python
	@touch $@ .venv/.program

# Our own source, which is run where it lies; only what changed since is compiled again. Where nothing may be written, it
# is run as it is.
.venv/.compiled: $(shell find newsletter migrations -name '*.py') | $(UV)
	@$(BIN)/python -m compileall -qq newsletter migrations && touch $@ || true
