# `make` alone lists the targets. Every target sets up .venv first, once.

PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SWEEP ?= ablation_addi
ARGS ?=
PORT ?= 5000
PACKAGES := data_prep trainables search_spaces orchestrator

.DEFAULT_GOAL := help
.PHONY: help setup sweep test ui lint format bench clean distclean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 20

setup: $(READY)  ## make .venv with everything that is needed (about 6 GB)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: Python 3.11 or later is needed and $(PYTHON) is older; name one: make setup PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): about 6 GB, a few minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

sweep: $(READY)  ## run a study and print its table (SWEEP=ablation_addi, ARGS='--preset smoke')
	@$(BIN)/python -m orchestrator.sweep $(SWEEP) $(ARGS)

test: $(READY)  ## run the tests (ARGS='-k reader')
	@$(BIN)/python -m pytest --durations=10 $(ARGS)

ui: $(READY)  ## browse the runs in MLflow on http://127.0.0.1:5000 (PORT=5000)
	@test -e mlflow.db || { echo "no runs yet: mlflow.db is made by the first sweep (make sweep)"; exit 2; }
	@echo "MLflow on http://127.0.0.1:$(PORT) (Ctrl-C ends it)"
	@$(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port $(PORT)

lint: $(READY)  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## put the code into its style
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench: $(READY)  ## run the benchmarks: ratios, side by side
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove caches and build products; never runs, stores or corpora
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find $(PACKAGES) tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv
	@rm -rf $(VENV)
