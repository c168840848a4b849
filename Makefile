# Utter: set-up, demo, tests. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := scripts/setup.sh
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
POCKET := $(VENV)/pocket
POCKET_READY := $(VENV)/.ready-pocket

.DEFAULT_GOAL := help
.PHONY: help setup models demo test bench check lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make the virtual environment and install what is pinned in requirements.txt

models: $(READY) ## fetch, verify and convert the models of the demo
	@$(BIN)/utter models fetch --set demo

demo: models ## a spoken session on a sample project; ARGS="--play" uses the speakers
	@$(BIN)/utter demo $(ARGS)

test: check $(POCKET_READY) ## everything, with real models; ARGS goes to pytest
	@$(BIN)/utter models fetch --set test
	@PYTHONPATH=$(POCKET) $(BIN)/python -m pytest -n 0 tests/test_pocket.py || [ $$? -eq 5 ]  # 5: all skipped
	@$(BIN)/python -m pytest $(ARGS)

bench: $(DEV_READY) ## measure, and write docs/benchmarks.md
	@$(BIN)/utter models fetch --set bench
	@$(BIN)/python -m bench $(ARGS)

check: $(DEV_READY) ## lint, formatting and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright

lock: $(READY) ## pin anew what pyproject.toml asks for
	@$(BIN)/uv pip compile -q --universal --python-version 3.10 --custom-compile-command "make lock" --no-annotate --upgrade \
	  pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.10 --custom-compile-command "make lock" --no-annotate --upgrade \
	  pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean: ## remove the virtual environment and what tools left; models in the cache stay
	@rm -rf $(VENV) *.egg-info build dist .pytest_cache .ruff_cache .hypothesis
	@find agent voice tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml $(SETUP)
	@sh $(SETUP) $(VENV) "$(PYTHON)" requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt $(READY)
	@sh $(SETUP) $(VENV) "$(PYTHON)" requirements-dev.txt
	@touch $@

# The test that needs torch skips without it, so a machine that cannot have it goes on.
$(POCKET_READY): requirements-pocket.txt $(DEV_READY)
	@echo "setup: installing $< into $(POCKET)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(POCKET) -r $< \
	  && touch $@ || echo "setup: going on without Pocket TTS; its test is skipped"
