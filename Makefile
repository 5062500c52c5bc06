# Everything a fresh machine needs is installed by these targets, quietly and once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
READY := $(VENV)/.ready
KAFKA := .cache/kafka/.ready
TOOLS := .cache/tools/.ready
# Each process of the tests starts in half the time when it finds its modules compiled.
unexport PYTHONDONTWRITEBYTECODE

$(READY): requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(KAFKA): sandbox/embedded/pom.xml sandbox/embedded/kafka_classes.py | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/python -m sandbox.embedded.fetch && touch $@ || \
	  echo "Apache Kafka could not be fetched (Java 17 and Maven are needed); going on with what else there is."

$(TOOLS): tests/support/tools.py | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/python -m tests.support.tools && touch $@ || \
	  echo "The tests of what is deployed will fail for lack of a tool; going on with what else there is."

.PHONY: setup demo test outages chaos cluster-chaos soak containers kubernetes check audit docs bench pictures lock clean help

setup: $(READY) $(KAFKA)  ## Install what the other targets need (they do it themselves)

demo: setup  ## Watch a conference being synced: embedded Kafka, Valkey, sandbox Swoogo, the real service
	@$(BIN)/swoogo-sync demo $(ARGS)

test: setup $(TOOLS)  ## Run all tests in three processes, on one real Kafka and a Valkey for each
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

outages: setup  ## Stop Kafka for 3, 25 and 60 seconds under traffic (five minutes)
	@SWOOGO_SYNC_TEST_OUTAGES="3 25 60" $(BIN)/python -m pytest tests/integration/kafka/test_kafka_trouble.py -k stopped $(ARGS)

check: $(READY)  ## Lint, types, import contracts, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/python -m schemas.generate --check
	@$(BIN)/python -m tools.settings_docs --check
	@$(BIN)/python -m deploy.generate --check
	@$(MAKE) --no-print-directory docs audit

audit: $(READY)  ## Look for known vulnerabilities in what is locked, where the package index tells
	@$(BIN)/python -m tests.support.audit

docs: $(READY)  ## Build the documents as a site into out/site; every link is checked
	@said=$$(NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict 2>&1) || { echo "$$said" | grep -v INFO; exit 1; }

chaos: setup  ## A thousand seeded runs in which something breaks, beside a peer (ARGS="--seed N" shows one, "--crashes" kills real processes)
	@$(BIN)/python -m tests.chaos $(ARGS)

SEEDS ?= 1-10

# The budget's contract has leases that are shorter than the clocks of a cluster may differ.
cluster-chaos: setup  ## Every store's contract in a Redis Cluster, then seeded runs in which servers or brokers die (SEEDS=1-10)
	@SWOOGO_SYNC_TEST_CLUSTER=all $(BIN)/python -m pytest tests/contract -k "cluster and not budget" $(ARGS)
	@SWOOGO_SYNC_TEST_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/e2e/cluster_chaos.py $(ARGS)

SECONDS ?= 3600

soak: setup  ## An hour of mixed traffic with faults; memory, handles, tasks and Redis must stay flat (SECONDS=600 for less)
	@$(BIN)/python -m benchmarks.soak $(SECONDS) $(ARGS)

containers: setup $(TOOLS)  ## Run the images and the compose file on a Docker engine, one of its own where none answers (needs root then)
	@$(BIN)/python -m tools.containers

kubernetes: setup $(TOOLS)  ## Apply every manifest to a real API server (built once, an hour on two cores)
	@$(BIN)/python -m tools.kubernetes

bench: setup  ## Measure speed and memory beside a peer; prints goal, figure and peer
	@$(BIN)/python -m benchmarks $(ARGS)

pictures: setup $(TOOLS)  ## Draw the console for README and documents, from the sample conference (docs/pictures)
	@$(BIN)/python -m tools.pictures

lock: $(READY)  ## Renew the lock files (needs uv)
	@uv pip compile pyproject.toml --extra tracing --extra console --extra sandbox --extra dev --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements-dev.lock
	@uv pip compile pyproject.toml --extra tracing --extra console --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements-dev.lock -o requirements.lock
	@uv pip compile pyproject.toml --extra tracing --extra sandbox-swoogo --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements-dev.lock -o deploy/requirements-sandbox.lock
	@echo hatchling | uv pip compile - --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements-dev.lock -o deploy/requirements-build.lock

clean:  ## Remove everything the targets made
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist out *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21
