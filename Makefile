# Sigma Match: `make help` lists the targets. Needs make, a Python of 3.10 or
# later with its venv module, and the Python package index. Nothing is installed
# outside this folder.

# Where to look for a Python; PYTHON=... on the command line is asked first.
# 3.11 and later come before 3.10, for which pySigma has no release.
PYTHON ?=
CANDIDATES = $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14 \
	"$$(pyenv root 2>/dev/null)"/versions/3.1[1-9].*/bin/python3 \
	python3.10 "$$(pyenv root 2>/dev/null)"/versions/3.10.*/bin/python3

VENV = .venv
BIN = $(VENV)/bin

# A file's tests stay together, for they share what is dear to make.
CORES = -n auto --dist loadfile

# An environment is complete when its stamp is; a stamp older than a list of
# pins has the environment made anew, so that nothing old stays in it.
ENV = $(VENV)/.complete
APPINSPECT = .venv-appinspect/.complete
PACKAGING = .venv-packaging/.complete
CONFORMANCE = .venv-conformance/.complete
SPLUNKBACKEND = .venv-splunkbackend/.complete

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env env-inspect env-conformance demo test conformance lint bench docs clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

env: $(ENV) ## the environment for the build and the tests, in .venv

env-inspect: $(APPINSPECT) $(PACKAGING) ## Splunk's AppInspect and slim, and ksconf, in environments of their own

env-conformance: $(CONFORMANCE) $(SPLUNKBACKEND) ## what others make of the rules, in environments of their own

demo: $(ENV) ## build the app and run sample events through its command
	@$(BIN)/python -m builder.demo

test: $(ENV) $(APPINSPECT) $(PACKAGING) $(CONFORMANCE) $(SPLUNKBACKEND) lint ## lint, then all tests
	@mkdir -p build
	$(BIN)/python -m pytest $(CORES) -rs --junit-xml=build/junit.xml
	@$(BIN)/python -m tests.packaging.check_skips build/junit.xml tests/allowed_skips.txt

conformance: $(ENV) $(CONFORMANCE) $(SPLUNKBACKEND) ## all rules, events and examples against another engine; minutes
	@mkdir -p build
	SIGMA_MATCH_CONFORMANCE=all SIGMA_MATCH_EFFORT=5 $(BIN)/python -m pytest $(CORES) -rs \
		--junit-xml=build/junit-conformance.xml --durations=10 \
		tests/conformance tests/test_masks.py tests/test_splitting.py tests/test_wildcards.py \
		tests/test_expectations.py::test_plain_evaluator_agrees
	@$(BIN)/python -m tests.packaging.check_skips build/junit-conformance.xml tests/allowed_skips.txt

lint: $(ENV) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(ENV) ## rewrite docs/log-sources.md, docs/check.md and docs/specification.md
	@$(BIN)/python -m builder.docs_logsources --write
	@$(BIN)/python -m builder.docs_check --write
	@$(BIN)/python -m builder.docs_specification --write

bench: $(ENV) ## the benchmarks
	@$(BIN)/python -m benchmarks setup
	@$(BIN)/python -m benchmarks

clean: ## remove what the other targets made, the environments too
	rm -rf .venv .venv-* build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Makes the environment $(1) from the list of packages $(2). The first candidate
# that is new enough (3.$(4), or 3.10) and has venv and ensurepip is used; Debian and
# Ubuntu ship Python without ensurepip. $(5): what is said where none is new
# enough and the rest goes on without it.
define make_environment
@set -eu; python=; bare=; \
if [ -L $(1) ]; then \
	echo "$(1) is a link, and making it anew would empty what it leads to: remove the link, or make $(1) there" >&2; exit 1; \
fi; \
for candidate in $(CANDIDATES); do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, $(or $(4),10)))' >/dev/null 2>&1 || continue; \
	if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	bare=$${bare:-$$candidate}; \
done; \
if [ -z "$$python" ] && [ -n "$$bare" ]; then \
	echo "$$bare is new enough but has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; \
fi; \
if [ -z "$$python" ] && [ -n "$(5)" ]; then rm -rf $(1); mkdir $(1); echo "$(1): not made, $(5)"; exit 0; fi; \
if [ -z "$$python" ]; then \
	echo "No Python of 3.10 or later found. On Debian 12 or later: apt-get install python3 python3-venv." \
		"Elsewhere: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
fi; \
echo "$(1): $$("$$python" --version), $(2)"; \
"$$python" -m venv --clear $(1); \
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt pip; \
$(1)/bin/python -m pip install --quiet --disable-pip-version-check \
	$(3) --build-constraint constraints.txt --requirement $(2)
@touch $@
endef

$(ENV): requirements.txt constraints.txt
	$(call make_environment,$(VENV),$<,--constraint constraints.txt)

$(APPINSPECT): requirements-appinspect.txt
	$(call make_environment,.venv-appinspect,$<)

$(PACKAGING): requirements-packaging.txt
	$(call make_environment,.venv-packaging,$<)

$(CONFORMANCE): requirements-conformance.txt
	$(call make_environment,.venv-conformance,$<,,11,there is no Python 3.11 or later here; tests that need it are skipped)

$(SPLUNKBACKEND): requirements-splunkbackend.txt
	$(call make_environment,.venv-splunkbackend,$<,,11,there is no Python 3.11 or later here; tests that need it are skipped)
