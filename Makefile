# SPDX-License-Identifier: Apache-2.0
# Menshen's face: every target does its own set-up on a fresh machine.
#   make demo [ARGS="--for 30 --json"]    the main job, on simulated hardware
#   make test [ARGS="-k door"]            the whole suite, its servers included
#   make check                            style, types, floors, spelling, tidiness

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PARALLEL ?= 2
ARGS ?=

.PHONY: help setup demo test check soak lock format clean

help:
	@sed -n '2,5p' Makefile | cut -c3-

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml .ci/setup-venv.sh
	sh .ci/setup-venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-index --no-build-isolation --editable .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/menshen demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m tests.system_packages
	@$(BIN)/python -m tests.run --parallel $(PARALLEL) $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_tidy.py

soak: $(STAMP)
	@$(BIN)/python -m tests.system_packages
	$(BIN)/python -m pytest -m soak $(ARGS)

lock:
	uv pip compile --generate-hashes --universal --python-version 3.11 --upgrade \
	    --extra demo --extra dev pyproject.toml --output-file requirements.lock

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
