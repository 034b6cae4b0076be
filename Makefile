# The two commands are `make demo` and `make test`; `make help` names the others.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
INSTALLED_FOR_DEMO := .venv/installed-for-demo
# Exact versions. `make install CONSTRAINTS=/dev/null` takes the newest that the bounds allow.
CONSTRAINTS ?= constraints.txt
DIST ?= dist
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' ngshare_site/__init__.py)
BUILDER ?= $(firstword $(foreach name,podman docker,$(if $(shell command -v $(name)),$(name))))
BASE ?= python:3.13-slim-trixie
IMAGE ?= ngshare-service
SINGLEUSER ?= ngshare-singleuser
TAG ?= $(VERSION)

.PHONY: version help install demo demo-reset test quick coverage wide fuzz torture check audit docs messages pictures chart-readme bench constraints dist packages wheelhouse images image singleuser-image clean

help:
	@echo "make demo    a real JupyterHub with ngshare and a course to try it in"
	@echo "make demo-reset  end the demo and forget what is in it"
	@echo "make test    every test, on every database and store, with a real Hub and a browser"
	@echo "make quick   one case of each fast test that is not about pages"
	@echo "make coverage   how much of the code the tests reach, and whether that is enough"
	@echo "make wide    every page and address for everybody, and fuzzing, on PostgreSQL and S3 too"
	@echo "make fuzz    40,000 random requests to every address"
	@echo "make torture 200 rounds of killed processes in a rush of submissions, on each database"
	@echo "make check   format, lint, imports, types, migrations, documentation"
	@echo "make audit   known holes in what is installed, where the index of advisories can be reached"
	@echo "make docs    the documentation, in docs/_build/html"
	@echo "make messages  what is to be translated, gathered in each locale/*/LC_MESSAGES/django.po, and what is translated, compiled"
	@echo "make pictures  the pictures of the documentation, with Chromium; then look at them"
	@echo "make chart-readme  what the Helm chart's README and schema repeat of other files"
	@echo "make bench   the benchmarks, written into docs/benchmarks.md (20 minutes)"
	@echo "make packages  the packages (and, with helm, the chart), in dist"
	@echo "make dist    all that is released: the packages and, with podman or docker, the images"
	@echo "make images  the images of the service and of users' servers, with podman or docker"
	@echo "make wheelhouse  what the images install, in wheelhouse: afterwards they are built without a network"
	@echo "make version V=1.0.0  write the version wherever it is named, before a release and after it"
	@echo "make constraints  look for newer versions of all that is installed, and write constraints.txt"
	@echo "make clean   remove what the above made"

define VENV
@echo "Installing into .venv (a few minutes the first time) …"
@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
@$(PYTHON) -m venv .venv
@$(BIN)/pip install --quiet --upgrade pip
endef

install: $(INSTALLED)

# Nobody needs rfc3987-syntax, and it takes half of the time in which nbgrader, a Hub or a user's server starts.
$(INSTALLED): constraints.txt requirements.txt pyproject.toml nbgrader_plugin/pyproject.toml deploy/tljh/pyproject.toml
	$(VENV)
	@$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable . --editable ./nbgrader_plugin --editable ./deploy/tljh --group test --group check
	@$(BIN)/pip uninstall --quiet --yes rfc3987-syntax
	@touch $(INSTALLED)

$(INSTALLED_FOR_DEMO): constraints.txt requirements.txt pyproject.toml nbgrader_plugin/pyproject.toml
	$(VENV)
	@$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable . --editable ./nbgrader_plugin --group demo
	@touch $(INSTALLED_FOR_DEMO)

# A few packages, unless all are there.
demo: $(if $(wildcard $(INSTALLED)),$(INSTALLED),$(INSTALLED_FOR_DEMO))
	@$(BIN)/python deploy/demo/run.py

demo-reset:
	@$(PYTHON) deploy/demo/reset.py

test: $(INSTALLED)
	@$(BIN)/python -m tests

quick: $(INSTALLED)
	@$(BIN)/python -m tests quick

coverage: $(INSTALLED)
	@$(BIN)/python -m tests coverage

wide: $(INSTALLED)
	@$(BIN)/python -m tests wide

fuzz: $(INSTALLED)
	NGSHARE_TEST_FUZZ=40000 $(BIN)/python -m pytest -q -n 2 tests/test_fuzz.py

torture: $(INSTALLED)
	NGSHARE_TEST_ROUNDS=200 $(BIN)/python -m pytest -q -s -p no:warnings tests/faults/test_killed.py

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy courses exchange ngshare_site
	$(BIN)/mypy nbgrader_plugin
	$(BIN)/mypy deploy/tljh
	$(BIN)/python -m pytest -q tests/test_migrations.py
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

audit: $(INSTALLED)
	@.ci/audit $(BIN)

docs: $(INSTALLED)
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

# With gettext's tools. A new language, such as fr: make messages LANGUAGES=fr
TRANSLATED := ngshare_site courses exchange
LANGUAGES ?= $(notdir $(wildcard ngshare_site/locale/*))
PLUGIN_TEXTS := $(CURDIR)/nbgrader_plugin/locale/nbgrader_plugin.pot
messages: $(INSTALLED)
	for app in $(TRANSLATED); do for language in $(LANGUAGES); do \
		(cd $$app && ../$(BIN)/django-admin makemessages --locale $$language \
			--no-location --no-wrap --no-obsolete --ignore management && ../$(BIN)/django-admin compilemessages --locale $$language) || exit 1; \
	done; done
	cd nbgrader_plugin && find . -name '*.py' | sort | xgettext --files-from=- --from-code=UTF-8 --language=Python \
		--keyword=_ --keyword=ngettext:1,2 --no-location --no-wrap --output=- | sed /POT-Creation-Date/d > $(PLUGIN_TEXTS)
	for language in $(LANGUAGES); do \
		(file=nbgrader_plugin/locale/$$language/LC_MESSAGES/nbgrader_plugin && mkdir -p $$(dirname $$file) \
			&& if [ -f $$file.po ]; then msgmerge --quiet --no-wrap --output-file=$$file.po $$file.po $(PLUGIN_TEXTS); \
			else msginit --no-translator --no-wrap --locale=$$language --input=$(PLUGIN_TEXTS) --output-file=$$file.po; fi \
			&& msgattrib --no-obsolete --no-wrap --output-file=$$file.po $$file.po \
			&& msgfmt --check-format --output-file=$$file.mo $$file.po) || exit 1; \
	done
	rm $(PLUGIN_TEXTS)

pictures: $(INSTALLED)
	$(BIN)/python docs/pictures.py

chart-readme: $(INSTALLED)
	$(BIN)/python deploy/helm/describe.py

# BENCHFLAGS: --quick, or --nbexchange DIR with a checkout of nbexchange.
bench: $(INSTALLED)
	$(BIN)/python -m benchmarks --results docs/benchmarks.json $(BENCHFLAGS)
	$(BIN)/python -m benchmarks --write docs/benchmarks.json

# On all systems and all versions of Python that the server runs on; pip reads the result, so there are no extras in it.
constraints:
	@$(PYTHON) -m venv .cache/constraints
	@.cache/constraints/bin/pip install --quiet uv
	@.cache/constraints/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --strip-extras \
		--no-annotate --no-header --all-extras --group test --group check --group audit \
		pyproject.toml nbgrader_plugin/pyproject.toml deploy/tljh/pyproject.toml --output-file constraints.txt

# `make version V=1.0.0` writes it wherever it is named.
version:
	test -n "$(V)"
	sed -i 's/\b$(subst .,\.,$(VERSION))\b/$(V)/g' $$(grep -rlFwI --exclude-dir=_build --exclude-dir='*.egg-info' \
		--exclude-dir=__pycache__ '$(VERSION)' ngshare_site nbgrader_plugin deploy docs README.md)

dist: packages
	if [ -n "$(BUILDER)" ]; then $(MAKE) images; fi

# Each wheel is built from the sdist, so that nothing but what is in the sdist gets into it.
packages: $(INSTALLED)
	rm -rf $(DIST)
	$(BIN)/python -m build --no-isolation --outdir $(DIST) .
	$(BIN)/python -m build --no-isolation --outdir $(DIST) nbgrader_plugin
	$(BIN)/python -m build --no-isolation --outdir $(DIST) deploy/tljh
	$(BIN)/twine check --strict $(DIST)/*
	if [ -d deploy/helm/ngshare ] && command -v helm >/dev/null; then \
		helm package --app-version $(VERSION) --destination $(DIST) deploy/helm/ngshare; fi

FOR_USERS ?= /src/$(DIST)/ngshare_plugin-*.whl jupyterhub jupyterlab notebook dockerspawner configurable-http-proxy
# In the base image, so that the wheels fit its Python.
wheelhouse: packages
	mkdir -p wheelhouse
	$(BUILDER) run --rm --user 0:0 $(RUNFLAGS) -v "$(CURDIR):/src:ro" -v "$(CURDIR)/wheelhouse:/wheelhouse" $(BASE) sh -ec '\
		python3 -m venv /tmp/venv; \
		/tmp/venv/bin/pip download --quiet --dest /wheelhouse --constraint /src/constraints.txt setuptools \
			"$$(echo /src/$(DIST)/ngshare_service-*.whl)[postgres,s3,redis]" \
			$(FOR_USERS)'
	rm -f wheelhouse/ngshare_*

images: image singleuser-image

image:
	$(BUILDER) build $(BUILDFLAGS) --build-arg BASE=$(BASE) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION="$$(git rev-parse HEAD)" -f deploy/image/Dockerfile -t $(IMAGE):$(TAG) .

singleuser-image:
	$(BUILDER) build $(BUILDFLAGS) --build-arg BASE=$(BASE) \
		-f deploy/image/singleuser.Dockerfile -t $(SINGLEUSER):$(TAG) .

clean:
	rm -rf .venv .demo .cache artifacts build dist wheelhouse docs/_build *.egg-info nbgrader_plugin/*.egg-info nbgrader_plugin/build deploy/tljh/*.egg-info deploy/tljh/build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
