# Two commands matter: `make backtest` and `make test`. Each sets up what it needs in .venv.

SEED      ?= 7
TIMEFRAME ?= 1h
ROUNDS    ?= 20
VENV := .venv
BIN  := $(VENV)/bin
DONE := $(VENV)/.installed

# Without bytecode each start of Freqtrade takes ten seconds more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help backtest compare paper test fuzz benchmark soak load lint format docs clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

backtest: $(DONE)  ## every strategy on a generated market: no account, no internet
	@$(BIN)/python -m tools.run_backtest $(if $(PORT),--port $(PORT)) --seed $(SEED) --timeframe $(TIMEFRAME)

compare: $(DONE)  ## two strategies of others, alone and under the layer, on that market
	@$(BIN)/python -m tools.run_compare $(if $(PORT),--port $(PORT)) --seed $(SEED) --timeframe $(TIMEFRAME)

paper: $(DONE)  ## a week of paper trading in minutes, with REST and FreqUI (STAY=1 goes on after it)
	@$(BIN)/python -m tools.run_paper $(if $(PORT),--port $(PORT)) --seed $(SEED) $(if $(STAY),--stay) $(if $(API_PORT),--api-port $(API_PORT))

test: lint  ## lint, types and all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

fuzz: $(DONE)  ## the random searches of the tests with other examples, ROUNDS times (20)
	@for round in $$(seq $(ROUNDS)); do \
	    echo "==> Round $$round of $(ROUNDS)"; \
	    $(BIN)/python -m pytest -q -n 2 -m hypothesis --hypothesis-profile fuzz || exit 1; \
	done

benchmark: $(DONE)  ## what the risk layer costs, beside its targets (a quarter of an hour)
	$(BIN)/python -m benchmarks --json user_data/benchmarks.json

soak: $(DONE)  ## 14 days of live trading on a failing exchange, 20 kills, three seeds (hours)
	$(BIN)/python -m tools.run_soak

load: $(DONE)  ## fifty pairs on 1m candles, with the layer and without: seconds to the last order
	$(BIN)/python -m tools.run_load

lint: $(DONE)  ## ruff, mypy, which package may import which, and the documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=strategies $(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(DONE)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DONE)  ## the documentation as a site in site/, which opens without a server
	$(BIN)/python -m tools.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open site/index.html"

clean:  ## remove the environment, caches and the generated market's data
	rm -rf $(VENV) user_data/data/sandbox user_data/data/benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist site *.egg-info strategies/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `python3` is an older one on some machines.
PYTHONS := python3 python3.13 python3.12 python3.11

$(DONE): requirements.lock
	@python=; for candidate in $(PYTHONS); do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Python 3.11 or later is needed; none of '$(PYTHONS)' is." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make virtual environments: install the system's python3-venv." >&2; \
	    exit 1; \
	fi; \
	echo "==> Making $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV)
	@echo "==> Installing the pinned packages (once, a minute or two)"
	@$(BIN)/python -m pip install -qq --compile --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@
