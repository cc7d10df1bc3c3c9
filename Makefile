# `make` lists the targets. `make up` needs git, make and Python 3.11 or later, and installs everything else.
#   SYNCTALK_PORT=8090   run another stack beside the first      SYNCTALK_DATA_DIR=…   where it keeps its data (default: .local/)
#   MODE=docker|local    how to run it; by default Docker, where an engine answers
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup fmt lint types test test-unit test-abuse test-scale test-clusters test-faults test-load test-histories check up down restart ps logs clean demo bench load contracts migrate key images k8s-check web generated

PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE :=
BIN := .venv/bin
LOCAL := $(BIN)/python -m synctalk_local
PYTEST := $(BIN)/python -m pytest
# Test processes. Most tests wait more than they compute, so there are more than cores; those across services use STACKS.
WORKERS ?= 3
STACKS ?= 3
FLOOD_SECONDS ?= 20
HISTORIES ?= 200
# The longest first: each worker begins with a share and then takes over what another has left.
ACROSS_SERVICES := tests/browser/test_web_client.py tests/histories tests/faults deploy/local/tests/system tests/e2e \
	tests/browser/test_web_client_expiry.py clients/python/tests clients/js/tests examples/tests tests/load
WORKSPACES := --workspace @synctalk/client --workspace synctalk-web
READY := .venv/.synced

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install the Python environment (.venv) from the lock file

$(READY): uv.lock pyproject.toml deploy/local/bootstrap.py $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml clients/*/pyproject.toml bench/pyproject.toml)
	@$(PYTHON) deploy/local/bootstrap.py

up: $(READY) ## start the whole system, wait until it is ready and print its address; API=2 GATEWAY=3 runs more processes
	@$(LOCAL) up $(if $(API),api=$(API)) $(if $(GATEWAY),gateway=$(GATEWAY))

down: $(READY) ## stop everything; data is kept
	@$(LOCAL) down

restart: $(READY) ## stop everything and start it again
	@$(LOCAL) down
	@$(LOCAL) up

ps: $(READY) ## show the processes: NAME PID PORT STATE
	@$(LOCAL) ps

logs: $(READY) ## follow the logs; NAME=api-1 for one process
	@$(LOCAL) logs $(NAME)

clean: $(READY) ## stop everything and delete its data
	@$(LOCAL) clean

demo: $(READY) ## show users chatting, in the terminal, on the running system
	@$(BIN)/python -m synctalk_bench.demo

bench: $(READY) ## load the running system and three baselines; ARGS="--help" lists the options
	@$(BIN)/python -m synctalk_bench.run $(ARGS)

load: $(READY) ## load the running system, or any address, with Artillery; ARGS="--help" lists the options
	@$(BIN)/python -m synctalk_bench.artillery $(ARGS)

web: $(READY) ## serve the web client with hot reload, on the running system
	@$(LOCAL) npm run dev

migrate: $(READY) ## run the database migrations of every service
	@$(LOCAL) migrate

key: $(READY) ## print a new server key of the running system; SCOPES="users messages" (default: all)
	@$(LOCAL) key "$(SCOPES)"

contracts: $(READY) ## generate schemas, AsyncAPI, OpenAPI, the settings page and the web client's types
	@$(BIN)/python libs/contracts/generate.py --without-web
	@$(LOCAL) npm run --silent contracts --workspace @synctalk/client
	@$(BIN)/python docs/generate.py

fmt: $(READY) ## format and fix the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(LOCAL) npm run --silent format $(WORKSPACES)

lint: $(READY) ## check formatting and lint rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(LOCAL) npm run --silent lint $(WORKSPACES)

types: $(READY) ## check types (mypy and TypeScript)
	$(BIN)/python -m mypy libs services deploy tests bench clients examples
	$(LOCAL) npm run --silent types $(WORKSPACES)

test: $(READY) ## run all tests: unit, integration, the whole system, the web client
	$(PYTEST) -q -n $(WORKERS) --dist loadfile --ignore deploy/local/tests/system libs services deploy bench tests/boundaries
	$(PYTEST) -q -n $(STACKS) --dist worksteal $(ACROSS_SERVICES)
	$(PYTEST) -q -n 2 --dist loadfile tests/abuse
	$(LOCAL) npm run --silent test $(WORKSPACES)

test-unit: $(READY) ## run the unit tests only; they need no servers
	$(PYTEST) -q $(wildcard libs/*/tests/unit services/*/tests/unit deploy/*/tests/unit)

test-abuse: $(READY) ## run the long flood tests: one address against each entry point for FLOOD_SECONDS
	FLOOD_SECONDS=$(FLOOD_SECONDS) $(PYTEST) -q tests/abuse

test-scale: $(READY) ## show that more api processes write more; needs the machine for itself
	$(PYTEST) -q -s tests/scale

test-clusters: $(READY) ## prove the whole system on clusters whose nodes are killed under load; needs the machine for itself
	$(PYTEST) -q -s tests/clusters

test-faults: $(READY) ## run the tests of faults with all of their cases
	SYNCTALK_TEST_FAULTS=all $(PYTEST) -q tests/faults

test-load: $(READY) ## run the Artillery scenario for some seconds; installs Artillery's runner, 40 MB of modules
	$(PYTEST) -q tests/load

test-histories: $(READY) ## let users do anything at random; in the end what each holds equals a fresh load (HISTORIES=200)
	HISTORIES=$(HISTORIES) $(PYTEST) -q -s tests/histories

check: $(READY) ## run everything that CI runs
	$(MAKE) --no-print-directory -j 2 lint types generated k8s-check
	$(MAKE) --no-print-directory test

generated: $(READY) # generated files must equal those committed
	$(BIN)/python libs/contracts/generate.py --check --without-web
	$(LOCAL) npm run --silent contracts --workspace @synctalk/client -- --check
	$(BIN)/python docs/generate.py --check

k8s-check: $(READY) ## validate the Kubernetes manifests, offline
	$(BIN)/python -m synctalk_k8s

images: $(READY) ## build all images
	docker compose build
