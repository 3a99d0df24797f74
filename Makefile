# Works with make, git and Python 3.11 or newer; everything else is installed into .venv.
.POSIX:

VENV = .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip install --quiet --disable-pip-version-check
WITH_ENGINES = $(PY) -m contactcenter.engines run --
COMPILE = $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

setup: $(VENV)/installed ## install what the product needs into .venv

demo: setup ## seed and run everything, with a stand-in for the carrier, on http://127.0.0.1:8000 (PORT=…)
	@$(PY) manage.py up --demo

up: setup ## run everything with the configuration of the environment
	@$(PY) manage.py up

test: $(VENV)/installed-dev ## install and run all tests (TESTS="-k name" for some)
	$(PY) -m pytest -n auto --dist loadgroup $(TESTS)

check: $(VENV)/installed-dev ## what CI runs: style, types, architecture, migrations, deployment checks, tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	$(VENV)/bin/lint-imports
	$(WITH_ENGINES) $(PY) manage.py makemigrations --check --dry-run
	$(PY) -m tests.production $(PY) manage.py check --deploy --fail-level WARNING
	$(MAKE) test

bench: $(VENV)/installed-dev ## run the benchmarks
	@if [ -d bench ]; then exec $(PY) -m bench; else echo "there are no benchmarks yet"; fi

shift: $(VENV)/installed-dev ## play a whole shift: 50 agents, 2,000 people, an hour in five minutes, two restarts
	@$(PY) -m tests.shift

screenshots: $(VENV)/installed-dev ## take the README's pictures from the demo
	@$(PY) -m docs.screenshots

requirements: $(VENV)/installed-dev ## compile requirements*.txt from requirements*.in
	$(PIP) uv
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

clean: ## remove .venv and caches; var/, which holds your data, stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment that was interrupted while being made has no working pip, and is made again.
MAKE_VENV = \
	if ! $(PY) -m pip --version >/dev/null 2>&1; then \
		for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
			python=; \
		done; \
		if [ -z "$$python" ]; then \
			echo "Python 3.11 or newer is needed; if it is not on the PATH: make PYTHON=/path/to/python3" >&2; \
			exit 1; \
		fi; \
		if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$$python cannot make virtual environments; on Debian: apt install python3-venv" >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		rm -rf $(VENV) && "$$python" -m venv $(VENV) || exit 1; \
	fi

$(VENV)/installed: requirements.txt
	@$(MAKE_VENV)
	@echo "Installing requirements.txt into $(VENV)"
	@$(PIP) -r requirements.txt
	@touch $@

# requirements-dev.txt holds requirements.txt as well.
$(VENV)/installed-dev: requirements-dev.txt
	@$(MAKE_VENV)
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/installed

.PHONY: help setup demo up test check bench shift screenshots requirements clean
