# Every target sets up what it needs: Python 3, make and a C library are all that is assumed.
# `uv` installs the pinned packages of requirements.lock into .venv with the Python of .python-version.

PYTHON3 ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
PYTEST_WORKERS ?= 2
# A uv that is already on the PATH is used; otherwise one is installed into .uv.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# Quiet TensorFlow, and Google's clients that warn about Python 3.10 at import.
export TF_CPP_MIN_LOG_LEVEL ?= 3
export TF_ENABLE_ONEDNN_OPTS ?= 1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint types bench lock head clean

help:  ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.uv/bin/uv:
	@echo "Installing uv into .uv"
	@$(PYTHON3) -m venv .uv 2>/dev/null && .uv/bin/python -m pip install --quiet uv \
		|| $(PYTHON3) -m pip install --quiet --target .uv uv \
		|| { echo "No uv, and $(PYTHON3) has neither venv nor pip to install it with: install one of them (Debian: python3-venv)." >&2; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml .python-version | $(filter .uv/bin/uv,$(UV))
	@$(UV) venv --quiet --allow-existing $(VENV)
	@echo "Installing the pinned packages into $(VENV) (3.6 GB; about a minute)"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.installed  ## Set up .venv with the pinned packages.

demo: install  ## Render, train, evaluate, gate, push, then reconstruct a photograph into out/.
	$(BIN)/monoface preview --preset tiny --count 36 --out $(OUT)/preview.png
	$(BIN)/monoface run --preset tiny --out $(OUT)
	$(BIN)/monoface reconstruct $(VENV)/lib/python3.10/site-packages/skimage/data/astronaut.png --out $(OUT) --model $(OUT)/serving/monoface

test: install  ## Run the tests (those marked slow are left out).
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m "not slow and not gpu"

test-slow: install  ## Run the tests marked slow.
	@$(BIN)/python -m pytest -m "slow and not gpu"

lint: install  ## Check style, formatting and types.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: install  ## Measure against the bars; prints a table and writes out/benchmarks.json.
	@$(BIN)/python -m benchmarks

lock: | $(filter .uv/bin/uv,$(UV))  ## Resolve requirements.lock anew from pyproject.toml.
	@$(UV) pip compile pyproject.toml --extra dev --python-version 3.10 --generate-hashes --no-header --no-emit-index-url \
		--no-annotate --upgrade --quiet --output-file requirements.lock

head: install  ## Build the default head and its wardrobe anew from MakeHuman's CC0 assets (MAKEHUMAN=folder).
	@$(BIN)/monoface model build-head --makehuman $(MAKEHUMAN) --out trainer/morphable/assets/head.npz
	@$(BIN)/monoface model build-wardrobe --makehuman $(MAKEHUMAN) --out trainer/morphable/assets/wardrobe.npz

clean:  ## Remove what the targets made.
	@rm -rf $(VENV) .uv $(OUT) .pytest_cache .ruff_cache .mypy_cache *.egg-info
