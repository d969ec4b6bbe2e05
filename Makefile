# Everything one types to work on Qihang. `make help` lists it; Python 3.11 is all it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PORT ?= 8000
ARGS ?=
PY := .venv/bin/python
MANAGE := $(PY) manage.py
CODE := config people training incubator api
DATA := $(or $(QIHANG_DATA_DIR),var)
CATALOGUE := -D django -d config/locale -l zh_Hans

# What production must be given; thrown away, and made afresh for every check.
random = $$($(PY) -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes($(1))).decode())')
PRODUCTION = QIHANG_DEBUG=0 QIHANG_SECRET_KEY="$(call random,64)" \
	QIHANG_ALLOWED_HOSTS=qihang.example QIHANG_PUBLIC_URL=https://qihang.example \
	QIHANG_FIELD_KEYS="check:$(call random,32)" QIHANG_INDEX_KEY="$(call random,32)"

.PHONY: help run test check schema messages clean-data

help: ## List what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

run: .venv/.run ## Serve the product with demonstration data (PORT=8000)
	@mkdir -p "$(DATA)/files"
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) load_demo
	@export QIHANG_PUBLIC_URL="$${QIHANG_PUBLIC_URL:-http://127.0.0.1:$(PORT)}"; \
		exec $(MANAGE) serve --port $(PORT)

test: .venv/.dev ## Run the tests, on DATABASE_URL or SQLite (ARGS="-k name -x")
	$(PY) -m pytest -n auto $(ARGS)

check: export DATABASE_URL = sqlite://:memory:
check: .venv/.dev ## Format, lint, types, who imports whom, migrations, deployment, drift
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	@echo 'manage.py check --deploy, as in production'
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	@echo 'openapi.yaml says what the code says'
	@fresh=$$(mktemp); trap 'rm -f "$$fresh"' EXIT; \
		$(MANAGE) spectacular --file "$$fresh" --validate --fail-on-warn; \
		diff -u openapi.yaml "$$fresh" || { echo 'openapi.yaml is out of date: run make schema.' >&2; exit 1; }

schema: .venv/.dev ## Write openapi.yaml from the code
	$(MANAGE) spectacular --file openapi.yaml --validate --fail-on-warn

messages: .venv/.dev ## Collect messages into the Chinese catalogue, and compile it
	@pot=$$(mktemp); trap 'rm -f "$$pot"' EXIT; pybabel='$(PY) -m babel.messages.frontend -q'; \
		$$pybabel extract -F config/locale/babel.cfg -o "$$pot" --no-default-keywords \
			-k _ -k gettext -k translate -k gettext_lazy -k ngettext:1,2 \
			--add-location=file --sort-output --project=Qihang --version=1.0.0 \
			--header-comment='# Messages of Qihang.' $(CODE); \
		$$pybabel update $(CATALOGUE) -i "$$pot" --init-missing --no-fuzzy-matching \
			--ignore-obsolete --ignore-pot-creation-date; \
		$$pybabel compile $(CATALOGUE) --statistics

clean-data: ## Remove var/: the database, the uploaded files, the demonstration data
	rm -rf var

# --- The virtual environment. A stamp older than its requirements file means: install again. ---

# Debian takes pip out of its Python. Another copy of virtualenv or pip on the machine can stand in.
.venv/.made:
	@if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
		python=; for name in python3.11 python3; do \
			if "$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; \
			then python=$$name; break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo 'Python 3.11 is needed, as python3.11 or python3 on the PATH; neither is it.' >&2; exit 1; fi; \
		"$$python" -m venv --clear .venv >/dev/null 2>&1 \
		|| "$$python" -m virtualenv --clear .venv >/dev/null 2>&1 \
		|| { "$$python" -m venv --clear --without-pip .venv && "$$python" -m pip --python .venv/bin/python install pip; } >/dev/null 2>&1 \
		|| { rm -rf .venv; echo "$$python cannot make a virtual environment; on Debian, apt-get install python3.11-venv mends that." >&2; exit 1; }; \
	fi
	@touch $@

.venv/.run: requirements.txt | .venv/.made
	@echo 'Installing what Qihang stands on …'
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	@echo 'Installing what its tests need …'
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
