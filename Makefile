# Every target installs .venv if it is missing or if pyproject.toml has changed.
PYTHON ?= python3
DEMO_OPTIONS ?=
PYTEST_OPTIONS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
NOTEBOOKS := $(wildcard notebooks/*.py)

export PIP_ROOT_USER_ACTION := ignore

.PHONY: help demo test lint docs browser clean
.DELETE_ON_ERROR:

help:
	@echo "make demo   run the whole pipeline on synthetic data, open the dashboard (DEMO_OPTIONS=--quick)"
	@echo "make test   check style and types, run the tests (PYTEST_OPTIONS='-k metrics')"
	@echo "make lint   check style, types and imports"
	@echo "make docs   run the notebooks and write them as HTML to build/docs"
	@echo "make clean  remove built files; data/ and .venv are kept"

demo: $(INSTALLED) browser
	$(BIN)/affectkit demo data/demo $(DEMO_OPTIONS)

test: lint browser
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest --quiet $(PYTEST_OPTIONS)

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
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --editable '.[all]' --group dev
	@.ci/system $(BIN)/python
	@touch $@

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis notebooks/*.ipynb
	find affectkit tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
