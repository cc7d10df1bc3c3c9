# `make` alone lists the targets. `make up` needs git, make and Python 3.11 or later, and brings the rest itself.
#   SYNCTALK_PORT=8090   another stack beside the first      SYNCTALK_DATA_DIR=…   its data (.local/ here)
#   MODE=docker|local    the way up; by default Docker where an engine answers
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup fmt lint types test check up down ps logs clean demo bench contracts migrate images k8s-check web generated

PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE :=
BIN := .venv/bin
LOCAL := $(BIN)/python -m synctalk_local
PYTEST := $(BIN)/python -m pytest
# More than a small machine has cores, since most tests wait more than they compute. Those across services share STACKS.
WORKERS ?= 4
STACKS ?= 3
# The longest first; each worker begins with a part of it and then takes over what another has left.
ACROSS_SERVICES := tests/browser/test_web_client.py tests/faults deploy/local/tests/system tests/e2e \
	tests/browser/test_web_client_expiry.py
READY := .venv/.synced

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the Python environment in .venv, with everything the lock file names

$(READY): uv.lock pyproject.toml deploy/local/bootstrap.py $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)
	@$(PYTHON) deploy/local/bootstrap.py

up: $(READY) ## bring the whole system up, wait until it is ready, print the address
	@$(LOCAL) up

down: $(READY) ## stop all of it; the data stays
	@$(LOCAL) down

ps: $(READY) ## what runs: NAME PID PORT STATE
	@$(LOCAL) ps

logs: $(READY) ## follow what the processes say; NAME=api-1 for one of them
	@$(LOCAL) logs $(NAME)

clean: $(READY) ## stop all of it and remove its data
	@$(LOCAL) clean

demo: $(READY) ## people talk, in the terminal, against the running system
	@$(BIN)/python bench/demo.py

bench: $(READY) ## load the running system and a baseline; ARGS=… for its options
	@$(BIN)/python bench/run.py $(ARGS)

web: $(READY) ## the web client with hot reload, against the running system
	@$(LOCAL) npm run dev

migrate: $(READY) ## run every service's migrations against the running databases
	@$(LOCAL) migrate

contracts: $(READY) ## write schemas, AsyncAPI, OpenAPI, the settings page and the web client's types
	@$(BIN)/python libs/contracts/generate.py --without-web
	@$(LOCAL) npm run --silent contracts
	@$(BIN)/python docs/generate.py

fmt: $(READY) ## format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(LOCAL) npm run --silent format

lint: $(READY) ## format and lint, without changing anything
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(LOCAL) npm run --silent lint

types: $(READY) ## strict types
	$(BIN)/python -m mypy libs services deploy tests bench
	$(LOCAL) npm run --silent types

test: $(READY) ## all tests: unit and integration, then the whole system, then the web client
	$(PYTEST) -q -n $(WORKERS) --dist loadfile --ignore deploy/local/tests/system libs services deploy bench tests/boundaries
	$(PYTEST) -q -n $(STACKS) --dist worksteal $(ACROSS_SERVICES)
	$(LOCAL) npm run --silent test

check: $(READY) ## what CI runs: format, lint, types, contracts, import boundaries, Kubernetes, all tests
	$(MAKE) --no-print-directory -j 2 lint types generated k8s-check
	$(MAKE) --no-print-directory test

generated: $(READY) # what is generated is what is committed
	$(BIN)/python libs/contracts/generate.py --check --without-web
	$(LOCAL) npm run --silent contracts -- --check
	$(BIN)/python docs/generate.py --check

k8s-check: $(READY) ## validate the Kubernetes manifests, offline
	$(BIN)/python deploy/k8s/check.py

images: $(READY) ## build every image
	docker compose build
