# Firstpass. `make` lists the targets; every one sets up what it needs on first use.
# PLANT=folder runs another plant; FIRSTPASS_DATA=folder keeps its state elsewhere; ENGINE=spark builds on Spark.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PLANT ?= plants/demo
ENGINE ?= duckdb
SEEDS ?= 1..1000
BIN := .venv/bin
export PLANT ENGINE

.PHONY: help setup setup-spark run status ingest build publish report stream refresh template test parity verify lint \
	bench evaluate docs lock clean

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 19

setup: .venv/.installed ## install what requirements.lock pins into .venv

.venv/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Firstpass needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv (once; a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

setup-spark: .venv/.installed-spark ## install Spark as well (ENGINE=spark; half a gigabyte)

.venv/.installed-spark: requirements-spark.lock .venv/.installed
	@echo "Installing Spark into .venv (once; a minute or two)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@touch $@

ifeq ($(ENGINE),spark)
setup: setup-spark
endif

run: setup ## the nightly run: ingest, build, publish, report
	@$(BIN)/python -m pipeline run

status: setup ## what came of each source so far, and what failed
	@$(BIN)/python -m ingest status

ingest build publish report: setup
	@$(BIN)/python -m pipeline run --step $@

ingest: ## load what is new into the lake
build: ## build and test the marts with dbt
publish: ## publish the marts of the last green build
report: ## write the reports from what is published

stream: setup ## receive what live sources (Kafka, MQTT, OPC UA) bring, until it is stopped
	@$(BIN)/python -m ingest stream

refresh: setup ## a short run between two nights: load what is landed, build what depends on it, publish
	@$(BIN)/python -m pipeline refresh

template: setup ## write the operators' forms, Excel workbooks to fill in (docs/workbooks.md)
	@$(BIN)/python -m ingest template

test: setup setup-spark ## lint, dbt build with all its tests on a small plant, pytest with coverage
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-fail-under=90
	@$(BIN)/coverage report --include='ingest/*' --fail-under=100 --skip-covered

parity: setup setup-spark ## build the records on DuckDB and on Spark, and compare every table row by row
	@$(BIN)/python -m pipeline parity

verify: setup ## run every data test over all of history
	@$(BIN)/python -m pipeline verify

lint: setup ## ruff and sqlfluff
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/sqlfluff lint models tests --disable-progress-bar --processes 2

bench: setup ## measure against peers (minutes); prints ratios
	@$(BIN)/python -m bench

evaluate: setup ## how often the marts' conclusions hold: WHAT=shifts|anomalies SEEDS=1..10 [DATA=folder], or DATA= LABELS= OUT=
	@$(BIN)/python -m evaluate $(if $(WHAT),--what "$(WHAT)") --seeds "$(SEEDS)" $(if $(DATA),--data "$(DATA)") \
		$(if $(LABELS),--labels "$(LABELS)") $(if $(OUT),--out "$(OUT)")

docs: setup ## the models' documentation as a web page, and the generated pages of docs/
	@$(BIN)/python -m pipeline docs

lock: setup ## pin again what pyproject.toml names
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --no-strip-extras --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group spark --constraint requirements.lock --universal --no-strip-extras \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-spark.lock

clean: ## remove what can be made again; records (lake, inbox) and publications stay
	@data="$${FIRSTPASS_DATA:-data}"; \
		if ls "$$data"/lake/raw/{closing/*2*,dropping/sensor_reading*}.parquet 2>/dev/null | grep -q .; \
		then echo "warehouse.duckdb stays: it alone holds what is closed or dropped (docs/operations.md)"; \
		else rm -rf "$$data"/{warehouse.duckdb,warehouse.duckdb.wal}; fi && \
		rm -rf "$$data"/{target,temp,logs,docs}
	@rm -rf target logs pytest_results.json .coverage .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
