# The two commands are `make demo` and `make test`; `make help` names the others.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help install demo test quick fuzz check audit docs chart-readme bench clean

help:
	@echo "make demo    a real JupyterHub with ngshare and a course to try it in"
	@echo "make test    every test, on every database and store, with a real Hub and a browser"
	@echo "make quick   the fast tests alone"
	@echo "make fuzz    40,000 random requests to every address"
	@echo "make check   format, lint, imports, types, migrations, documentation"
	@echo "make audit   known holes in what is installed, where the index of advisories can be reached"
	@echo "make docs    the documentation, in docs/_build/html"
	@echo "make chart-readme  what the Helm chart's README and schema repeat of other files"
	@echo "make bench   the benchmarks"
	@echo "make clean   remove what the above made"

install: $(INSTALLED)

$(INSTALLED): requirements.txt pyproject.toml nbgrader_plugin/pyproject.toml
	@echo "Installing into .venv (a few minutes the first time) …"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --upgrade pip
	@$(BIN)/pip install --quiet --editable . --editable ./nbgrader_plugin --group test --group check
	@touch $(INSTALLED)

demo: $(INSTALLED)
	@$(BIN)/python deploy/demo/run.py

test: $(INSTALLED)
	@$(BIN)/python -m tests

quick: $(INSTALLED)
	@$(BIN)/python -m tests quick

fuzz: $(INSTALLED)
	NGSHARE_TEST_FUZZ=40000 $(BIN)/python -m pytest -q -n 2 tests/test_fuzz.py

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy courses exchange ngshare_site
	$(BIN)/mypy nbgrader_plugin
	$(BIN)/python -m pytest -q tests/test_migrations.py
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

audit: $(INSTALLED)
	@.ci/audit $(BIN)

docs: $(INSTALLED)
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

chart-readme: $(INSTALLED)
	$(BIN)/python deploy/helm/describe.py

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .demo .cache artifacts build docs/_build *.egg-info nbgrader_plugin/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
