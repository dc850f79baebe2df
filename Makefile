# Everything one needs: `make demo`, `make test`, `make check`. Each target sets up what it needs by itself.
# Needs python3 (3.10 to 3.13) with venv, git, Node 20 with npm, and the package indexes that pip and npm know.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PANDAS2 := .venv-pandas2
COLLABORATION := .venv-collaboration
HUB := .venv-hub
LIBRARIES := .venv-libraries
LIBRARIES_STAMP := $(LIBRARIES)/.made
BIN := $(VENV)/bin
STAMP := $(VENV)/.made
PANDAS2_STAMP := $(PANDAS2)/.made
COLLABORATION_STAMP := $(COLLABORATION)/.made
HUB_STAMP := $(HUB)/.made
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
OTHER_TESTS := $(filter-out tests/unit tests/kernel tests/browser tests/data tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

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

# JupyterLab with shared editing: as the second environment, it borrows all but that.
$(COLLABORATION_STAMP): $(STAMP)
	$(PYTHON) -m venv $(COLLABORATION)
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	    > "$$($(COLLABORATION)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(COLLABORATION)/bin/python -m pip install $(PIP_FLAGS) 'jupyter-collaboration>=5,<6'
	touch $@

# JupyterHub with its proxy: borrows all but these.
$(HUB_STAMP): $(STAMP)
	$(PYTHON) -m venv $(HUB)
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	    > "$$($(HUB)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(HUB)/bin/python -m pip install $(PIP_FLAGS) 'jupyterhub>=5.4,<6'
	npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts --prefix $(HUB)/proxy \
	    configurable-http-proxy@5.3.0
	touch $@

# The browser's part: JupyterLab's extension and the stand-alone page; npm keeps to the versions of the lock file.
UI_SOURCES := $(shell find ui schema -type f -not -path '*/node_modules/*' -not -path 'ui/lib/*' -not -path 'ui/labextension/*' \
    -not -path '*/generated/*')
UI_STAMP := ui/labextension/.made
UI_PACKAGES := ui/node_modules/.package-lock.json

.PHONY: ui
ui: $(UI_STAMP) ## build the extension of JupyterLab and the page, and link them into .venv

$(UI_PACKAGES): ui/package-lock.json
	cd ui && npm ci --silent
	touch $@

$(UI_STAMP): $(STAMP) $(UI_PACKAGES) $(UI_SOURCES)
	cd ui && PATH="$(abspath $(BIN)):$$PATH" npm run --silent build
	mkdir -p $(VENV)/share/jupyter/labextensions
	ln -sfn "$(abspath ui/labextension)" $(VENV)/share/jupyter/labextensions/nbcellar-lab
	touch $@

# Browser tests drive Debian's Chromium.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	    echo "installing Chromium: apt-get install --no-install-recommends chromium fonts-dejavu-core fonts-liberation"; \
	    $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get -qq update && apt-get -qq install --yes --no-install-recommends \
	        chromium fonts-dejavu-core fonts-liberation >/dev/null'; }

.PHONY: pictures
pictures: $(UI_STAMP) chromium ## docs/images/*.png: each view in the browser, light and dark
	$(BIN)/python docs/pictures.py

.PHONY: demo
demo: $(STAMP) ## record a real analysis: log, what a cell changed, undo, a crash and restore
	@$(BIN)/python examples/demo.py

.PHONY: check
check: $(STAMP) $(UI_STAMP) ## lint, format, strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd ui && npm run --silent check

.PHONY: format
format: $(STAMP) ## apply what `make check` asks of the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd ui && npm run --silent format

.PHONY: unit
unit: $(STAMP) ## the quick tests
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow" tests --ignore=tests/kernel

# Quick parts first, so that a mistake shows early; the summary of all tests comes last.
.PHONY: test
test: check test-ui test-pandas2 $(COLLABORATION_STAMP) $(HUB_STAMP) chromium ## everything: check, pandas 2, then all tests, those with real kernels and browsers at the end
	$(BIN)/python -m pytest -q -n $(JOBS) tests/unit $(wildcard tests/test_*.py) $(OTHER_TESTS) tests/kernel tests/browser

.PHONY: test-ui
test-ui: $(UI_STAMP) ## the tests of the browser's part that need no browser
	cd ui && npm test --silent

.PHONY: test-server
test-server: $(UI_STAMP) ## the tests of the server part; for another Python: PYTHON=python3.13 VENV=.venv-3.13
	$(BIN)/python -m pytest -q tests/server

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

.PHONY: bench-pipeline
bench-pipeline: $(STAMP) ## pipelines beside the best schedule, Dask, Hamilton, redun and joblib; three minutes, quiet machine
	$(BIN)/python benchmarks/pipeline.py

.PHONY: bench-browser
bench-browser: $(UI_STAMP) chromium ## what the browser shows: panels, undo, diffs beside nbdime's page, typing, sizes; ten minutes
	$(BIN)/python benchmarks/browser.py

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
	rm -rf ui/node_modules ui/lib ui/labextension ui/src/wire/generated src/nbcellar/server/static
	rm -rf $(VENV) $(PANDAS2) $(COLLABORATION) $(HUB) $(LIBRARIES) .venv-kishu .venv-analyses-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
