# `make help` says what each target does. Every target sets up what it needs by itself; the second time is quick.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VENV_ARGILLA ?= .venv-argilla
# Extra arguments for pip, for example an index of CPU-only builds of torch.
PIP_ARGS ?=
# Extra arguments for `workbench gate`, for example --markdown gate.md.
GATE_ARGS ?=
export HF_HUB_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup setup-argilla argilla demo loop dashboards eval test test-argilla test-all check format lint types layers faults proofs bench demo-model docs schemas clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Make the virtual environment and install what the demo and the tests need

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV), once; a few minutes. 1 of 3: an empty environment"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=python3.12, for example")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "2 of 3: torch, the largest piece"
	@$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt torch
	@echo "3 of 3: transformers, trl, the tests' tools and the rest, at the versions in constraints.txt"
	@$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt -e '.[train,rag,labelling,synth,harness,dashboards,dev]'
	@touch $@
	@echo "Ready."

setup-argilla: $(VENV_ARGILLA)/.ready ## Make Argilla's own environment, whose versions clash with ours

$(VENV_ARGILLA)/.ready: argilla_embedded/pyproject.toml argilla_embedded/constraints.txt
	@echo "Setting up $(VENV_ARGILLA), once; about a minute"
	@test -x $(VENV_ARGILLA)/bin/python || $(PYTHON) -m venv $(VENV_ARGILLA)
	@$(VENV_ARGILLA)/bin/python -m pip install -q $(PIP_ARGS) -c argilla_embedded/constraints.txt -e 'argilla_embedded[postgresql,dev]'
	@touch $@
	@echo "Ready."

argilla: setup setup-argilla ## Start Argilla's own server in the background, without Docker
	@$(BIN)/workbench argilla up

demo: setup setup-argilla ## Walk the whole loop on tiny models: evaluate, label (SIMULATED annotators), curate, SFT, DPO, gate, RAG, judge
	@$(BIN)/workbench demo

loop: setup setup-argilla ## Run the loop on the demo: SIMULATED annotators label in the real Argilla; pairs and conversations come of it
	@$(BIN)/workbench demo --loop

dashboards: setup ## Serve the pages at http://localhost:8501, to this machine alone
	@$(BIN)/workbench dashboards

eval: setup ## Evaluate the candidate on every gate evalset, then decide: ship, don't ship, or not enough evidence
	@$(BIN)/workbench gate --run-missing $(GATE_ARGS)

test: setup setup-argilla ## Run the default tests (about 14 minutes on 2 cores); says what it skips and how to have it run
	@$(BIN)/python -m pytest -n 2 --dist loadfile -r s -m "not long"
	@$(MAKE) --no-print-directory test-argilla

test-argilla: setup-argilla ## Run the default tests of the embedded Argilla, in its environment
	@cd argilla_embedded && $(abspath $(VENV_ARGILLA))/bin/python -m pytest -n 2 --dist loadfile -r s -m "not long"

test-all: setup setup-argilla ## Run every test, the long ones too
	@$(BIN)/python -m pytest -n 2 --dist loadfile -r s
	@cd argilla_embedded && $(abspath $(VENV_ARGILLA))/bin/python -m pytest -n 2 --dist loadfile -r s

faults: setup ## Run the fault trials in full: kills, faulty endpoints, full disks
	@$(BIN)/python -m pytest tests/faults -r s

proofs: setup ## Prove the statistics by simulation, in full, and write the table in docs/statistics.md
	@$(BIN)/python -m tests.statistics.proofs

check: format lint types layers test ## Format, lint, types, layers, tests

format: setup ## Format the code
	@$(BIN)/ruff format .

lint: setup ## Check style
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: setup setup-argilla ## Check types, strictly
	@$(BIN)/mypy
	@cd argilla_embedded && $(abspath $(VENV_ARGILLA))/bin/mypy

layers: setup ## Check that imports only go downwards
	@$(BIN)/python -m pytest tests/test_layers.py

bench: setup ## Measure speed and memory against limits and peers in one run
	@$(BIN)/python -m benchmarks

demo-model: setup ## Rebuild the demo model from nothing, however long that takes
	@$(BIN)/python -m demo.build_model

docs: setup ## Rebuild the command-line reference
	@$(BIN)/python -m workbench.cli.reference

schemas: setup ## Rebuild the JSON Schemas that editors use
	@$(BIN)/python -m workbench.config.schemas

clean: ## Remove what was built; keeps .workbench, where your runs are
	@rm -rf $(VENV) $(VENV_ARGILLA) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
