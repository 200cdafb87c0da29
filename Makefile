# `make` or `make help` lists the targets; every one sets up .venv first where it needs it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
METHOD ?= latent_codes
NAME ?= photographs
POINTS ?= 50
export PREFECT_PORT ?= 4200
export MLFLOW_PORT ?= 5000
export REPORT_PORT ?= 4201
export PREFECT_HOME ?= $(CURDIR)/.prefect

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# none of the tools phones home unless the user says so
export DVC_NO_ANALYTICS ?= 1
export DO_NOT_TRACK ?= true
export MLFLOW_DISABLE_TELEMETRY ?= true
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false

.PHONY: help setup repro test smoke test-all lint format bench faults fuzz gpu preset ui workers join deploy pipeline sweep tidy stop lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create .venv from requirements.lock; take pretrained networks from the registry where it has them

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "plurifill needs Python >= 3.11; name one: make setup PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements.lock)"
	$(VENV)/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python $(VENV)/bin/python requirements.lock
	$(VENV)/bin/uv pip install --quiet --no-deps --no-build-isolation --python $(VENV)/bin/python --editable .
	@$(VENV)/bin/python -m stages.project.setup_weights
	@touch $@

repro: $(READY)  ## run the whole pipeline on the built-in photographs; ends with the report's place
	plurifill shard --refresh
	dvc repro
	@echo "report: $(CURDIR)/reports/index.html"

test: $(READY)  ## the tests, without the long ones, two side by side
	python -m pytest --numprocesses 2 --dist loadfile

smoke: $(READY)  ## one small flow by a server and a worker
	python -m pytest -m smoke

test-all: $(READY)  ## all tests
	python -m pytest -m "long or smoke or not long"

fuzz: $(READY)  ## hostile inputs at every door, more than 10,000; the counts go into reports/faults.md
	python -m tests.fuzz --write

lint: $(READY)  ## ruff (format, rules) and mypy, the files that are found by name included
	ruff format --check .
	ruff check .
	mypy
	python -m tests.typed_plugins

format: $(READY)  ## let ruff mend what it can
	ruff format .
	ruff check --fix .

bench: $(READY)  ## speed: peer and ours in turn, the ratios
	python -m tests.bench

faults: $(READY)  ## every fault into every command, POINTS (50) times each: reports/faults.md
	python -m tests.faults --points $(POINTS)

gpu: $(READY)  ## train, sample and score METHOD without dvc, in this process's params.yaml (make preset NAME=gpu first)
	plurifill shard
	plurifill train $(METHOD)
	plurifill sample $(METHOD)
	plurifill benchmark $(METHOD)
	plurifill report

preset: $(READY)  ## write params.yaml from presets/NAME.yaml
	plurifill preset $(NAME)

ui: $(READY)  ## Prefect's, MLflow's and the report's servers on 127.0.0.1, ports PREFECT_PORT, MLFLOW_PORT, REPORT_PORT
	python -m flows.ui start
	@echo "Prefect: http://127.0.0.1:$(PREFECT_PORT)    MLflow: http://127.0.0.1:$(MLFLOW_PORT)    report: http://127.0.0.1:$(REPORT_PORT)"

workers: $(READY)  ## this machine's workers: one a GPU, or the CPU
	python -m flows.workers start

join: $(READY)  ## this machine's workers for the servers of another one, TO=its name
	python -m flows.join '$(TO)'

deploy: $(READY)  ## put prefect.yaml's deployments on the server
	python -m flows.deploy

pipeline: $(READY)  ## run what is stale by the workers; PARTS=4 divides samples and scores over so many
	python -m flows.ask reproduce/pipeline $(if $(PARTS),--parts '$(PARTS)')

sweep: $(READY)  ## run the sweep NAME of params.yaml by the workers; PARTS=4 as for pipeline
	python -m flows.ask sweep/grid --name '$(if $(filter file,$(origin NAME)),,$(NAME))' $(if $(PARTS),--parts '$(PARTS)')

tidy: $(READY)  ## say what the DVC cache holds that nothing needs any more; FREE=1 removes it
	python -m flows.tidy $(if $(FREE),--free)

stop:  ## end what ui and workers started; work in progress is saved
	python -m flows.workers stop
	python -m flows.ui stop

lock:  ## compile requirements.lock from pyproject.toml (versions and hashes, no addresses)
	uv pip compile pyproject.toml --extra dev --extra s3 --extra servers --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean:  ## remove what can be made again: state in progress, results, caches (never .venv, the DVC cache, or what waits for MLflow)
	rm -rf $(filter-out data/progress/unlogged,$(wildcard data/progress/*)) data/shards data/masks data/models data/samples reports/index.html reports/tables.* reports/scores reports/pages .pytest_cache .mypy_cache .ruff_cache
