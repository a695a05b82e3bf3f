# Each target sets up .venv by itself: pip, and the versions of constraints.txt. It needs Python 3.11 or newer,
# on Linux, macOS or WSL. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

COLAB := .venv-colab
COLAB_BIN := $(COLAB)/bin
TORCH ?= 2.11.0
COLAB_READY := $(COLAB)/.ready-$(TORCH)

# Threads that wait spin by default, and so take the core from the one that works where several processes share them;
# here they spin for a moment, and then sleep (xattn_helpers/threads.py). OpenMP reads this once, when torch is imported.
# Whoever says something about it says all of it.
ifeq ($(OMP_WAIT_POLICY)$(GOMP_SPINCOUNT)$(KMP_BLOCKTIME),)
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 5000
export KMP_BLOCKTIME := 0
endif
# Packages that a library does not need, and that take seconds at each import, are not found.
WITHOUT := $(CURDIR)/tools/without
ifeq ($(filter $(WITHOUT),$(subst :, ,$(PYTHONPATH))),)
export PYTHONPATH := $(WITHOUT)$(if $(PYTHONPATH),:$(PYTHONPATH))
endif
# What the caller says reaches the shell as a variable, not as text of a command.
export ONLY REPO BRANCH
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# Nothing that runs below needs a network: the models are in the repository.
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
# The notebooks are executed and tested on the CPU, so that everybody gets the same outputs.
ON_CPU := $(OFFLINE) CUDA_VISIBLE_DEVICES=
# nbval: every cell must run; the output is compared in the cells with the tag nbval-check-output.
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with=tests/nbval_sanitize.cfg

# Most tests are too small for two threads: processes with a thread each take less time. For two cores there are three,
# because some wait, for a kernel or for another process. A file, and so a notebook with its kernel, stays in one process;
# the long ones begin. A whole number, or 0 for one process.
WORKERS ?= 3
AT_ONCE := $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist=loadfile --no-loadscope-reorder)
ONE_THREAD := $(if $(filter-out 0,$(WORKERS)),OMP_NUM_THREADS=1)

# Installing a package of Debian is for root.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

PAGES = tests/browser/test_pages.py

.DEFAULT_GOAL := help
.PHONY: help tutorial notebooks lab test test-run test-unit test-browser browser-pages browser-notebook chromium test-colab bench train lint format mutants badges constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

tutorial: $(READY) ## run the notebooks that changed; build/tutorial/index.html has all, and the API reference (ONLY=01)
	@$(ON_CPU) $(BIN)/python -m tools.tutorial "$$ONLY"

notebooks: $(READY) ## run the notebooks and write the .ipynb beside each .py (ONLY=01 for one of them)
	@$(ON_CPU) $(BIN)/python -m tools.tutorial --write "$$ONLY"

# JupyterLab opens a copy of the lessons, in my_notebooks/: to run them changes nothing that git tracks. In a container
# one is root, which Jupyter refuses unless it is told.
lab: $(READY) ## open JupyterLab with your own copy of the lessons, in my_notebooks/
	@$(BIN)/python -m tools.lab
	@$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/my_notebooks $(AS_ROOT) $(LAB)

test: $(READY) ## lint, unit tests, and every notebook, on the CPU (WORKERS=6 for more than three processes)
	@$(MAKE) --no-print-directory --jobs=2 lint test-run

# Types are checked, in a single process, while the tests begin: one after the other, a processor would wait.
test-run: $(READY)
	@notebooks=$$($(BIN)/python -m tools.notebooks) && \
	$(ON_CPU) $(ONE_THREAD) TQDM_DISABLE=1 $(BIN)/python -m pytest $(AT_ONCE) $(NBVAL) --ignore=tests/browser tests $$notebooks

test-unit: $(READY) ## unit tests only, on whatever device there is
	@$(OFFLINE) $(BIN)/python -m pytest --ignore=tests/browser tests

test-browser: $(READY) chromium ## pages and explorers in a real browser; build/screenshots has pictures (Debian: installs Chromium; BROWSER=--last-failed)
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target browser-pages browser-notebook

# Pages in one process, players and what needs JupyterLab in another: each has a browser of its own.
browser-pages: FILES = $(PAGES)
browser-notebook: FILES = $(filter-out $(PAGES),$(wildcard tests/browser/test_*.py))
browser-pages browser-notebook:
	@$(ON_CPU) XATTN_BROWSER=1 TQDM_DISABLE=1 $(BIN)/python -m pytest -o cache_dir=build/cache/$@ --durations=5 $(BROWSER) $(FILES)

chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || $(SUDO) sh -c \
	'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium'

test-colab: $(COLAB_READY) ## unit tests and notebooks at Google Colab's versions (TORCH=2.13.0 for another torch)
	@notebooks=$$($(COLAB_BIN)/python -m tools.notebooks) && \
	$(ON_CPU) TQDM_DISABLE=1 $(COLAB_BIN)/python -m pytest $(NBVAL) --ignore=tests/browser tests $$notebooks

bench: $(READY) ## run the studies, and print their tables
	@$(OFFLINE) $(BIN)/python -m xattn_helpers.studies

train: $(READY) ## train the pocket models again
	@$(OFFLINE) $(BIN)/python -m xattn_helpers.pocket.training

lint: $(READY) ## style (ruff) and types (basedpyright), without changing anything
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright

format: $(READY) ## what ruff can repair by itself
	@$(BIN)/ruff check --fix .

mutants: $(READY) ## which mutations of thirteen core files the tests do not notice (ONLY=guidance for one of them)
	@$(ON_CPU) $(BIN)/python -m tools.mutants "$$ONLY"

badges: $(READY) ## make badges REPO=owner/name BRANCH=main: write the repository's address into README and notebooks
	@$(BIN)/python -m tools.badges "$$REPO" "$$BRANCH"
	@touch $(READY)

constraints: ## resolve pyproject.toml anew and pin the result in constraints.txt
	$(PYTHON) -m tools.constraints

clean: ## remove what the other targets wrote, the environments included
	rm -rf build .pytest_cache .ruff_cache *.egg-info $(VENV) $(COLAB)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -m tools.python_version
	@echo 'Setting up $(VENV), once: some minutes without a message, and 2.4 GB of disk (much more with CUDA).'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev]'
	@touch $@

$(COLAB_READY): pyproject.toml constraints-colab.txt
	@$(PYTHON) -m tools.python_version
	$(PYTHON) -m venv $(COLAB)
	@sed 's/^torch==.*/torch==$(TORCH)/' constraints-colab.txt > $(COLAB)/constraints.txt
	$(COLAB_BIN)/python -m pip install --quiet --disable-pip-version-check -c $(COLAB)/constraints.txt -e '.[dev]'
	@touch $@
