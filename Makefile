# `make` alone lists the targets. Every target that runs something sets up .venv first, once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
# The first interpreter that is new enough; any other with PYTHON=.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; done; echo python3)
SWEEP ?= ablation_addi
ARGS ?=
PORT ?= 5000

.PHONY: help setup sweep test ui lint format bench clean distclean

help:  ## list the targets
	@sed -nE 's/^([a-z]+):.*## +(.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

setup: $(READY)  ## make .venv with everything that is needed (about 6 GB)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: Python 3.11 or later is needed; '$(PYTHON)' is not; say which: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null || { \
		echo "error: $(PYTHON) cannot make $(VENV); on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 2; }
	@echo "installing into $(VENV): about 6 GB, a few minutes; the large downloads as they come:"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		--constraint constraints.txt --editable '.[dev]' | \
		awk '/^ *(Downloading|Using cached) .*\([0-9][0-9]+(\.[0-9]+)? MB\)$$/ { split($$(NF-2), name, "-"); \
			print "  " name[1] " " name[2] " " $$(NF-1) " " $$NF; fflush() } /^Installing/ { print "  unpacking"; fflush() }'
	@touch $@
	@echo "$(VENV) is ready"

sweep: $(READY)  ## run a study and print its table (SWEEP=ablation_addi ARGS='--preset smoke')
	@$(BIN)/python -m orchestrator.sweep $(SWEEP) $(ARGS)

# Two files of tests at a time, each with a Ray of its own. ARGS='--numprocesses 0' is for a debugger.
test: $(READY)  ## run the tests (ARGS='-k reader')
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations=10 $(ARGS)

# One worker and no job runners: this server only shows what is there. Nothing is sent to MLflow's makers.
ui: $(READY)  ## browse the runs in MLflow on http://127.0.0.1:5000 (PORT=5000)
	@test -e mlflow.db || { echo "error: no mlflow.db here yet: the first sweep makes it (make sweep)" >&2; exit 2; }
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || { \
		echo "error: port $(PORT) is taken; choose another: make ui PORT=5001" >&2; exit 2; }
	@echo "MLflow on http://127.0.0.1:$(PORT) in a few seconds (Ctrl-C ends it)"
	@MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		$(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port $(PORT) --workers 1

lint: $(READY)  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format' for the files above" >&2; exit 1; }
	@$(BIN)/mypy

format: $(READY)  ## put the code into its style
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench: $(READY)  ## run every benchmark, and print one table of their ratios (an hour or more)
	@rows=$$(mktemp); status=0; for script in benchmarks/[!_]*.py; do \
		echo "== $$script"; SER_BENCHMARK_ROWS=$$rows $(BIN)/python "$$script" || status=1; \
	done; $(BIN)/python benchmarks/_table.py "$$rows"; rm "$$rows"; exit $$status

clean:  ## remove caches and build products; never runs, stores or corpora
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find data_prep trainables search_spaces orchestrator tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv
	@rm -rf $(VENV)
