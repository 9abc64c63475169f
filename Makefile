# Every target sets up .venv by itself when it is missing or when pyproject.toml has changed.
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
	@echo "make demo   synthetic data, training, scores, saliency, dashboard (DEMO_OPTIONS=--quick)"
	@echo "make test   style, types and tests (PYTEST_OPTIONS='-k metrics')"
	@echo "make lint   style and types"
	@echo "make docs   the notebooks as pages, in build/docs"
	@echo "make clean  removes what was built; data/ and .venv stay"

demo: $(INSTALLED) browser
	$(BIN)/affectkit demo data/demo $(DEMO_OPTIONS)

test: lint browser
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest --quiet $(PYTEST_OPTIONS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(NOTEBOOKS:notebooks/%.py=build/docs/%.html)

build/docs/%.html: notebooks/%.py $(INSTALLED)
	@mkdir -p $(@D)
	$(BIN)/jupytext --quiet --to ipynb --output $(@:.html=.ipynb) $<
	$(BIN)/jupyter nbconvert --log-level=ERROR --to html $(@:.html=.ipynb)

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
