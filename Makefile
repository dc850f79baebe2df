# Everything one needs: `make demo`, `make test`, `make check`. Each target sets up what it needs by itself.
# Needs python3 (3.10 to 3.13) with venv, git and a package index that pip knows.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PANDAS2 := .venv-pandas2
LIBRARIES := .venv-libraries
LIBRARIES_STAMP := $(LIBRARIES)/.made
BIN := $(VENV)/bin
STAMP := $(VENV)/.made
PANDAS2_STAMP := $(PANDAS2)/.made
PIP_FLAGS := -qq --disable-pip-version-check
# Two processes, as many as the smallest machine of continuous integration has cores.
JOBS ?= 2
# Of `make faults`: another seed makes other choices, RIG runs one rig, PART=5 a fifth of all cycles, WRITE=1 puts the
# table into docs/reliability.md.
SEED ?= 1
PART ?= 1
RIG ?=
WRITE ?=
# Folders of tests besides the quick ones and those with real kernels.
OTHER_TESTS := $(filter-out tests/unit tests/kernel tests/data tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(STAMP) ## make .venv, with Cellar installed so that edits take effect at once

$(STAMP): pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --requirement requirements-dev.txt --editable .
	touch $@

# The second environment holds pandas 2 only and borrows all the rest from the first.
$(PANDAS2_STAMP): $(STAMP)
	$(PYTHON) -m venv $(PANDAS2)
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	    > "$$($(PANDAS2)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(PANDAS2)/bin/python -m pip install $(PIP_FLAGS) --no-deps --ignore-installed 'pandas>=2.2,<3'
	$(PANDAS2)/bin/python -m pip install $(PIP_FLAGS) pytz
	touch $@

.PHONY: demo
demo: $(STAMP) ## record a real analysis: log, what a cell changed, undo, a crash and restore
	@$(BIN)/python examples/demo.py

.PHONY: check
check: $(STAMP) ## lint, format, strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(STAMP) ## apply what `make check` asks of the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: unit
unit: $(STAMP) ## the quick tests
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow" tests --ignore=tests/kernel

# Quick parts first, so that a mistake shows early; the summary of all tests comes last.
.PHONY: test
test: check test-pandas2 ## everything: check, pandas 2, then all tests, those with real kernels at the end
	$(BIN)/python -m pytest -q -n $(JOBS) tests/unit $(wildcard tests/test_*.py) $(OTHER_TESTS) tests/kernel

.PHONY: test-pandas2
test-pandas2: $(PANDAS2_STAMP) ## the tests marked pandas2, with pandas 2
	CELLAR_TEST_PANDAS=2 $(PANDAS2)/bin/python -m pytest -q -n $(JOBS) -m pandas2 tests

.PHONY: faults
faults: $(STAMP) ## kill, power failures, failing calls, full disks, flipped bits; some twenty minutes
	$(BIN)/python tests/faults/run.py --rig "$(RIG)" --seed $(SEED) --part $(PART) $(if $(WRITE),--write)

.PHONY: bench
bench: $(STAMP) ## the seven workloads: bare, Cellar, dill, Kishu; takes a while
	$(BIN)/python benchmarks/session.py
	$(BIN)/python benchmarks/startup.py

.PHONY: bench-documents
bench-documents: $(STAMP) ## notebooks: diff, merge, git and cleaning beside nbdime, nbdev and nbstripout; ten minutes
	$(BIN)/python benchmarks/document.py

.PHONY: coverage-classes
coverage-classes: $(LIBRARIES_STAMP) ## record objects of 40 libraries, write docs/supported-libraries.md; some ten minutes
	$(LIBRARIES)/bin/python tests/libraries/run.py --write

$(LIBRARIES_STAMP): tests/libraries/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(LIBRARIES)
	$(LIBRARIES)/bin/python -m pip install $(PIP_FLAGS) --requirement tests/libraries/requirements.txt --editable .
	touch $@

.PHONY: analyses
analyses: $(STAMP) ## every state of the notebooks in examples/analyses, in all environments; docs/analyses.md; an hour
	$(BIN)/python -m tests.analyses.run --write --jobs $(JOBS)

.PHONY: changelog
changelog: $(STAMP) ## print the next section of CHANGELOG.md; with VERSION=x.y.z write it
	$(BIN)/python changes/build.py $(VERSION)

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(VENV) $(PANDAS2) $(LIBRARIES) .venv-kishu .venv-analyses-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
