# Two commands for a fresh machine with Python 3.10 or newer: make demo, make test.
# ARGS goes to the program (make demo ARGS=--once), PYTHON chooses the interpreter.

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

# The tests start hundreds of processes, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test chaos fuzz openapi lint types migrations check clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/.demo ## Run everything on this machine and verify one person (ARGS=--once: and end)
	@exec $(BIN)/python -m example_project.demo $(ARGS)

test: $(VENV)/.dev ## Run all tests that this machine can run (ARGS=... goes to pytest)
	@exec $(BIN)/python -m tests.run $(ARGS)

chaos: $(VENV)/.dev ## Kill workers, wipe brokers and crash databases for a long while (ARGS=--seed ...)
	@exec $(BIN)/python -m tests.chaos --verifications 2000 --kills 200 $(ARGS)

fuzz: $(VENV)/.dev ## Ask the API for anything, as everybody, for a long while (ARGS=--examples ...)
	@exec $(BIN)/python -m tests.fuzz $(ARGS)

openapi: $(VENV)/.dev ## Write docs/reference/openapi.json again
	@$(BIN)/python manage.py demo_openapi

lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Not formatted as agreed: run $(BIN)/ruff format ."; exit 1; }
	@echo "Style and format: good."

types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy --no-error-summary django_faceverify example_project tests
	@echo "Types: good."

migrations: $(VENV)/.dev ## Check that no migration is missing
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0 \
		|| { echo "A model has changed without a migration: run manage.py makemigrations."; exit 1; }
	@echo "Migrations: complete."

check: lint types migrations ## Check style, types and migrations

clean: ## Remove the virtual environment, everything built, and the demo's data
	@rm -rf $(VENV) build dist var .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean."


# The set-up. A stamp in $(VENV) says for whom it was made; a changed setup.cfg makes it again.

# A name on PATH may be a stub that cannot run, so each candidate is tried.
USABLE = -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'
CANDIDATES = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.10 python)

define create_environment
for python in $(CANDIDATES); do \
	if $$python $(USABLE) >/dev/null 2>&1; then \
		echo "Creating $(VENV) with $$($$python --version) ..."; \
		exec $$python -m venv --clear $(VENV); \
	fi; \
done; \
echo "No usable Python was found (tried: $(CANDIDATES))."; \
echo "Install Python 3.10 or newer with its venv module (on Debian: python3 and python3-venv),"; \
echo "or name one: make PYTHON=/path/to/python3 ..."; \
exit 1
endef

define install
echo "Installing what $(1) needs (a minute or two, once) ..."; \
if ! $(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[$(2)]' >$(VENV)/install.log 2>&1; then \
	tail -n 3 $(VENV)/install.log; \
	echo "The packages could not be installed. Is there a network, and does pip reach its package index? All that pip said: $(VENV)/install.log"; \
	exit 1; \
fi
endef

$(BIN)/python:
	@$(create_environment)

$(VENV)/.demo: setup.cfg pyproject.toml $(BIN)/python
	@$(call install,the demo,demo)
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml $(BIN)/python
	@$(call install,development,dev)
	@touch $(VENV)/.demo $@
