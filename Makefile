# SPDX-License-Identifier: Apache-2.0
# Menshen's face: every target does its own set-up on a fresh machine.
#   make demo [ARGS="--for 30 --json"]    the main job, on simulated hardware
#   make test [ARGS="-k door"]            the whole suite, its servers included
#   make check                            style, types, floors, spelling, contract
#   make voice                            placeholders for what doors say, by espeak-ng

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PEER := .venv-osdp-peer
PEER_LOCK := tests/drivers/osdp_peer/requirements-osdp-peer.lock
PEER_STAMP := $(PEER)/.ready
PARSER := $(VENV)/asyncapi-parser
PARSER_LOCK := tests/cloud_sync/contract/parser
PARSER_STAMP := $(PARSER)/.ready
CONTRACT := cloud_sync/asyncapi.yaml
CONTRACT_STAMP := $(PARSER)/.valid
PARALLEL ?= 2
ARGS ?=

.PHONY: help setup demo voice test check soak lock format clean

help:
	@sed -n '2,6p' Makefile | cut -c3-

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml .ci/setup-venv.sh
	sh .ci/setup-venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-index --no-build-isolation --editable .
	@touch $(STAMP)

# libosdp, the independent reader of the OSDP tests: in an environment of its own,
# since PyPI's osdp installs a package of the same name. Where no wheel fits, its tests
# are skipped, and with CI=true they fail.
$(PEER_STAMP): $(PEER_LOCK) .ci/setup-venv.sh
	sh .ci/setup-venv.sh $(PYTHON) $(PEER)
	@$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes --only-binary :all: --requirement $(PEER_LOCK) \
	    && touch $@ || echo "no libosdp for this machine: its tests are skipped"

# The official parser of AsyncAPI documents, installed by its own lock and kept. Where
# there is no npm, or no line to fetch it by, the contract is only checked by the tests,
# and with CI=true that fails.
$(PARSER_STAMP): $(PARSER_LOCK)/package.json $(PARSER_LOCK)/package-lock.json | $(STAMP)
	@mkdir -p $(PARSER) && rm -f $@
	@cp $(PARSER_LOCK)/package.json $(PARSER_LOCK)/package-lock.json \
	    $(PARSER_LOCK)/.npmrc $(PARSER)/
	@npm ci --prefix $(PARSER) --ignore-scripts --no-audit --no-fund --loglevel error \
	    && touch $@ || { echo "check: no AsyncAPI parser: install Debian's packages" \
	    "nodejs and npm, and have a line for the first time"; [ "$$CI" != true ]; }

# A document that was found valid is judged again once it has changed.
$(CONTRACT_STAMP): $(PARSER_STAMP) $(CONTRACT) $(wildcard cloud_sync/schemas/*.json) \
    $(PARSER_LOCK)/validate.mjs
	@[ ! -e $(PARSER_STAMP) ] || { \
	    node $(PARSER_LOCK)/validate.mjs $(PARSER) $(CONTRACT) && touch $@; }

demo: $(STAMP)
	@$(BIN)/menshen demo $(ARGS)

# What doors say aloud, as placeholders until somebody records them (docs/voice.md).
voice: $(STAMP)
	@command -v espeak-ng >/dev/null || $(BIN)/python -m tests.system_packages espeak-ng
	@$(BIN)/menshen voice make

# README's pictures, taken of the demonstration's house by Debian's browser.
shots: $(STAMP)
	@$(BIN)/python -m tests.system_packages
	@$(BIN)/python -m tests.shots

# pyscard has no wheel for Linux: it is built here, for the tests alone. Where that is
# not possible they are skipped, and with CI=true they fail.
test: $(STAMP) $(PEER_STAMP)
	@$(BIN)/python -m tests.system_packages
	@$(BIN)/python -c 'import smartcard.scard' 2>/dev/null || \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-build-isolation --require-hashes --requirement requirements-pcsc.lock || \
	    echo "pyscard cannot be built: the tests of PC/SC readers are skipped"
	@$(BIN)/python -m tests.run --parallel $(PARALLEL) $(ARGS)

check: $(STAMP) $(CONTRACT_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples/driver_minimal/menshen_button_box
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_tidy.py

soak: $(STAMP)
	@$(BIN)/python -m tests.system_packages
	$(BIN)/python -m pytest -m soak $(ARGS)

lock:
	uv pip compile --generate-hashes --universal --python-version 3.11 --upgrade \
	    --extra demo --extra platform --extra dev pyproject.toml --output-file requirements.lock
	printf "pyscard>=2.3,<3" | uv pip compile --generate-hashes --universal \
	    --python-version 3.11 - --output-file requirements-pcsc.lock
	echo libosdp==3.2.9 | uv pip compile --generate-hashes --python-version 3.11 \
	    - --output-file $(PEER_LOCK)

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(PEER) .demo build .mypy_cache .pytest_cache .ruff_cache .hypothesis
