# Every target installs .venv if it is missing or if pyproject.toml has changed.
PYTHON ?= python3
PYTEST_OPTIONS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
NOTEBOOKS := $(wildcard notebooks/*.py)

export PIP_ROOT_USER_ACTION := ignore

.PHONY: help demo demo-full test lowest lint docs browser clean
.DELETE_ON_ERROR:

help:
	@echo "make demo       run the whole pipeline, open the dashboard on a real clip (3 minutes)"
	@echo "make demo-full  the same with more data and a larger model (8 minutes)"
	@echo "make test       check style and types, run the tests (PYTEST_OPTIONS='-k metrics')"
	@echo "make lowest     run most tests with the lowest versions that pyproject.toml allows (8 GB, 30 minutes)"
	@echo "make lint       check style, types and imports"
	@echo "make docs       run the notebooks and write them as HTML to build/docs"
	@echo "make clean      remove built files; data/ and .venv are kept"

# the dashboard opens in the default browser; only the tests need Chromium
demo: $(INSTALLED)
	$(BIN)/affectkit demo

demo-full: $(INSTALLED)
	$(BIN)/affectkit demo --full

test: lint browser
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest --quiet $(PYTEST_OPTIONS)

lowest: $(INSTALLED)
	@.ci/lowest $(BIN)/python

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(NOTEBOOKS:notebooks/%.py=build/docs/%.html)

build/docs/%.html: notebooks/%.py $(INSTALLED)
	@mkdir -p $(@D)
	$(BIN)/jupytext --quiet --to ipynb --output $(@:.html=.ipynb) $<
	AFFECTKIT_DEMO=$${AFFECTKIT_DEMO:-$(CURDIR)/data/demo} $(BIN)/jupyter nbconvert --log-level=ERROR \
		--execute --ExecutePreprocessor.store_widget_state=False --to html $(@:.html=.ipynb)

browser: $(INSTALLED)
	@.ci/browser $(BIN)/playwright

$(INSTALLED): pyproject.toml .ci/system
	@.ci/python $(PYTHON)
	@echo "1 of 3: make a virtual environment in .venv (half a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install -qq --upgrade 'pip>=25.1'
	@echo "2 of 3: download and install the packages (on Linux torch and CUDA: 3 GB, in .venv 8 GB; about 4 minutes)"
	@$(PIP) install --editable '.[all]' --group dev
	@echo "3 of 3: check the system libraries of OpenCV (a few seconds)"
	@.ci/system $(BIN)/python
	@touch $@

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis notebooks/*.ipynb
	find affectkit tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
