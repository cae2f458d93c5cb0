PYTHON ?= python3
BIN := .venv/bin
EDITOR_SERVER := yaml-language-server@1.25.0

.PHONY: help demo test check bench pictures clean

help:
	@echo "make demo    a simulated year of a small company's accounts, ending with the alerts"
	@echo "make test    all tests, on a real PostgreSQL and a real Valkey"
	@echo "make check   format, lint, types, layers, compose file"
	@echo "make bench   the benchmarks, into bench/RESULTS.md"
	@echo "make pictures  what docs/ shows of Slack, drawn by a Chromium"
	@echo "make clean   remove the virtual environment and caches"

demo: .venv/ready
	$(BIN)/tiewatch demo

test: .venv/ready
	$(BIN)/pytest -n 2

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo "The core must not read the clock:"
	! grep -rnE '(datetime|date)\.(now|utcnow|today)\(' worker/core
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

bench: .venv/ready
	$(BIN)/python -m bench

pictures: .venv/ready
	$(BIN)/python -m tests.slack.pictures

clean:
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: pyproject.toml constraints.txt
	@echo "Installing into .venv (once, about a minute)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@if command -v npm >/dev/null; then \
		npm install --silent --no-save --no-package-lock --prefix $(@D)/node $(EDITOR_SERVER) \
		|| echo "Without $(EDITOR_SERVER), the tests of rule files in an editor are skipped."; fi
	@touch $@
