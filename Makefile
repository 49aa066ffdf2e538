# Two commands for a new machine: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
STAMP  := $(VENV)/.installed

.PHONY: help demo test browser bench-test proof-test check bench faults lock derived wheel clean setup

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with the pinned packages

$(STAMP): requirements/dev.lock requirements/bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  "需要 Python 3.11 或更新 · Python 3.11 or newer is needed; this is %d.%d. Try: make PYTHON=python3.11 $(MAKECMDGOALS)" % v[:2])'
	@echo "准备环境 · setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@$(BIN)/uv pip install -q --python $(VENV) --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install -q --python $(VENV) --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## a city at work on embedded Kafka and PostgreSQL (ARGS=--once plays the story and ends)
	@$(BIN)/hub demo $(ARGS)

test: setup ## the tests on embedded Kafka and PostgreSQL (ARGS=tests/scenarios for a part)
	@$(BIN)/python -m pytest $(ARGS)

browser: setup ## operators' stories in a real browser; needs Debian's chromium (HUB_BROWSER_SEED=7 repeats a run)
	@command -v chromium >/dev/null || { echo "需要 Chromium:apt-get install chromium · Chromium is needed: apt-get install chromium"; exit 2; }
	@$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

check: setup ## linters, types, layers and derived files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/hub schemas build --check
	$(BIN)/hub schemas check
	$(BIN)/hub connectors check
	$(BIN)/hub profile check
	$(BIN)/python -m tests.docs.twins
	$(BIN)/python -m hub.console.languages

bench: setup ## speed and latency beside faust and a raw loop; build/bench.json (ARGS=--quick: small)
	@$(BIN)/python -m tests.bench $(ARGS)

faults: setup ## kill, cut, stop, then verify (ARGS="F04 --scale full", ARGS=--ci; SABOTAGE=1 must go red)
	@$(BIN)/hub faults run $(if $(SABOTAGE),--sabotage) $(ARGS)

bench-test: setup ## the benches at a tiny scale, against their peers
	@$(BIN)/python -m pytest -m bench tests/bench $(ARGS)

proof-test: setup ## sabotaged hubs: the verifier must find each
	@$(BIN)/python -m pytest -m proof tests/faults $(ARGS)

wheel: setup ## build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

lock: setup ## renew the lock files from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements/dev.lock
	echo "uv" | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -o requirements/bootstrap.lock

clean: ## remove the environment and the data of the embedded services
	rm -rf $(VENV) .hub build dist
