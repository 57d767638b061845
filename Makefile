# One command each to run and to test, from a bare checkout: both make .venv and install into it.
#
#   make run   [ARGS="--seed 2"]          make test  [ARGS="-k tidy"]       PYTHON=/path/to/python3

VENV := .venv
BIN := $(VENV)/bin
ARGS :=

# The first interpreter that is new enough, unless one was named.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python3.10 python
VERSION_OF := import sys; v = sys.version_info[:2]; print("%d.%d" % v if v >= (3, 10) else "")
ifndef PYTHON
PYTHON := $(shell for p in $(CANDIDATES); do \
    test -n "$$($$p -c '$(VERSION_OF)' 2>/dev/null)" && { echo $$p; break; }; done)
endif
VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c '$(VERSION_OF)' 2>/dev/null))

NATIVE := $(wildcard */_*.cpp)
INSTALLED_FROM := setup.cfg setup.py pyproject.toml $(NATIVE) $(wildcard */_*.h)

.PHONY: help run test test-slow test-pure bugs sanitize check lint types clean

help:
	@echo "make run        install, then one run under a partition, with its verdict and report"
	@echo "make test       install, then the fast tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make test-pure  the fast tests with every native extension ignored"
	@echo "make sanitize   the native extensions' tests and arbitrary input, under sanitizers"
	@echo "make bugs       convicts every deliberate bug, and the pair without any of nothing"
	@echo "make check      lint and types"
	@echo "make clean      remove what the others made, run folders excepted"

run: $(VENV)/run
	@$(BIN)/python -m checker run --nemesis partition $(ARGS)

test: $(VENV)/test
	@$(BIN)/python -m pytest $(ARGS)

# Exit status 5 is pytest's for "no test was selected".
test-slow: $(VENV)/test
	@$(BIN)/python -m pytest -m slow -n 2 $(ARGS) || test $$? -eq 5

test-pure: $(VENV)/test
	@DOUBLE_ELEVEN_PURE=1 $(BIN)/python -m pytest $(ARGS)

sanitize: $(VENV)/test
	@.ci/sanitize $(BIN)/python

bugs: $(VENV)/test
	@$(BIN)/python -m checker bugs --quick $(ARGS)

check: lint types

lint: $(VENV)/test
	@$(BIN)/python -m flake8
	@echo "flake8: clean"

types: $(VENV)/test
	@$(BIN)/python -m mypy

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .hypothesis
	rm -f */_*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed, as stamps: the interpreter's version, then the distribution without or with the
# test tools. A change of interpreter or of what the installation is made from makes them stale.
$(VENV)/run: EXTRAS := [report]
$(VENV)/test: EXTRAS := [test]
$(VENV)/run $(VENV)/test: $(VENV)/python-$(VERSION) $(INSTALLED_FROM)
	@echo "installing into $(VENV) (the first time takes a minute)"
	@rm -f $(NATIVE:.cpp=.*.so)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	@for source in $(NATIVE:.cpp=); do \
	    ls $$source.*.so >/dev/null 2>&1 || echo "note: $$source was not built (it takes a C++" \
	        "compiler and the Python headers); Python code does its work, more slowly"; done
	@touch $(VENV)/run $@

$(VENV)/python-$(VERSION):
	@test -n "$(VERSION)" || { echo "double-eleven needs Python 3.10 or newer;" \
	    "$(if $(PYTHON),$(PYTHON) is not,none was found): make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual" \
	    "environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2; \
	    exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@
