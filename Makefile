# Vigie: `make run` starts the whole centre, `make test` runs every check and test.

SHELL := /bin/sh
PY := .venv/bin/python
# Compiled modules make every start faster.
unexport PYTHONDONTWRITEBYTECODE
WEB_SOURCES := $(shell find web openapi -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: run dev test check bench setup setup-dev web lock clean pytest faults browser

run: setup web
	@exec $(PY) -m vigie up

setup: .venv/.installed
.venv/.installed: requirements.lock pyproject.toml scripts/setup
	@sh scripts/setup python requirements.lock .venv/.installed

setup-dev: .venv/.installed-dev
.venv/.installed-dev: requirements-dev.lock pyproject.toml scripts/setup
	@sh scripts/setup python requirements-dev.lock .venv/.installed-dev

web: web/dist/index.html
web/node_modules/.installed: web/package-lock.json scripts/setup
	@sh scripts/setup node
web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@echo "vigie: building the screens …"
	@cd web && npm run --silent build -- --logLevel warn && touch dist/index.html

# The centre on a small city of its own, with the server and the screens started again on change.
dev: setup-dev web/node_modules/.installed
	@sh scripts/dev

browser:
	@sh scripts/setup browser

check: setup-dev web/node_modules/.installed
	@.venv/bin/ruff check src tests bench
	@.venv/bin/ruff format --check src tests bench
	@$(PY) scripts/layers.py
	@.venv/bin/pyright
	@cd web && npm run --silent typecheck && npm run --silent lint

test: setup-dev check web browser
	@cd web && npm run --silent test
	@$(PY) -m pytest tests/vigie tests/simcity -n 2 --dist loadfile
	@$(PY) -m pytest tests/conformance
	@$(PY) -m pytest tests/e2e -m "not long"
	@$(PY) -m pytest tests/faults/test_kills.py
	@$(PY) -m pytest tests/faults --ignore=tests/faults/test_kills.py -m "not long"

pytest: setup-dev
	@$(PY) -m pytest tests/vigie tests/simcity -n 2 --dist loadfile

bench: setup-dev web
	@$(PY) bench/run.py

faults: setup-dev web
	@VIGIE_FAULT_ROUNDS=3 VIGIE_FAULT_FREEZE_S=30 VIGIE_FAULT_RATE=2000 VIGIE_FAULT_LIGHTS=34000 VIGIE_FAULT_LIVE_S=5 \
		$(PY) -m pytest tests/faults/test_kills.py -s
	@$(PY) -m pytest tests/faults tests/e2e -m long
	@VIGIE_FAULT_ASLEEP_S=600 $(PY) -m pytest tests/faults/test_live.py -s

lock:
	@sh scripts/lock

clean:
	rm -rf .venv web/node_modules web/dist
