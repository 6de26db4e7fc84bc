# Everything runs in a virtual environment of its own; nothing is installed outside this folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TESTS ?=
MONTH ?=
CHAOS ?=
SOAK ?=
# Where it is set, every process that a test starts would compile the hub's modules anew.
unexport PYTHONDONTWRITEBYTECODE
LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q

.PHONY: help demo test check bench month chaos soak docs dist lock clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: requirements/dev.txt pyproject.toml plugins/katana/pyproject.toml plugins/tiktok/pyproject.toml
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e plugins/katana -e plugins/tiktok
	@touch $@

demo: $(VENV)/ready  ## run the whole flow against simulators of both systems
	@$(BIN)/hub demo

test: $(VENV)/ready  ## run every test
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal $(TESTS)

check: $(VENV)/ready  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/ready  ## measure, print one figure a line, write bench/results.json
	@$(BIN)/python -m bench

month: $(VENV)/ready  ## live through a simulated month and check every law (MONTH="--days 3 --orders 400" for less)
	@$(BIN)/python -m bench.month $(MONTH)

chaos: $(VENV)/ready  ## kill and pause real hub processes for ten minutes and check every law (CHAOS="--only sqlite" for less)
	@$(BIN)/python -m bench.chaos $(CHAOS)

soak: $(VENV)/ready  ## run a day of two shops on a fast clock and see that nothing grows (SOAK="--hours 6" for less)
	@$(BIN)/python -m bench.soak $(SOAK)

docs: $(VENV)/ready  ## write the generated pages anew
	@$(BIN)/python -m hub.config.describe > docs/routes.md.new && mv docs/routes.md.new docs/routes.md
	@$(BIN)/python -m hub.testing.hooks_page > docs/hooks.md.new && mv docs/hooks.md.new docs/hooks.md

dist: $(VENV)/ready  ## build wheels and sdists of the hub and its plugins into dist/
	@for each in . plugins/katana plugins/tiktok; do $(BIN)/python -m build --no-isolation --outdir dist $$each || exit 1; done

lock:  ## pin every dependency with hashes (needs uv)
	@$(LOCK) requirements/dev.in -o requirements/dev.txt
	@for each in run build; do $(LOCK) -c requirements/dev.txt requirements/$$each.in -o requirements/$$each.txt || exit 1; done

clean:  ## remove what was built
	@rm -rf $(VENV) .demo build dist
