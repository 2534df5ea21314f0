# The commands of a working day. They need Python 3.11 or newer (with venv) and make; the rest they install into .venv.
#
#   make run          the server on http://127.0.0.1:8000          make run ARGS="--port 9000"
#   make test         every test, on all cores                     make test ARGS="tests/deploy -k wheel"
#   make lint         what CI checks before the tests
#   make fix          what ruff can repair by itself
#   make bench        spans per second on this machine
#   make demo         a server of its own with a week of data    make demo ARGS="--seed 2 --port 9001"
#   make lock         new pins for changed dependencies            make lock ARGS=--upgrade

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PINS := deploy/requirements
ARGS :=

.PHONY: run test lint fix bench demo lock clean
.DELETE_ON_ERROR:

run: $(VENV)/runtime.ok
	exec $(BIN)/audittrail serve $(ARGS)

test: $(VENV)/test.ok
	$(BIN)/python -m tests.prepare
	$(BIN)/python -m pytest -n logical --maxprocesses=4 --dist loadscope $(ARGS)

lint: $(VENV)/lint.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/caddy fmt Caddyfile | diff Caddyfile -
	XDG_DATA_HOME=$(CURDIR)/.cache/caddy XDG_CONFIG_HOME=$(CURDIR)/.cache/caddy $(BIN)/caddy validate --config Caddyfile

fix: $(VENV)/lint.ok
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/test.ok
	$(BIN)/python -m tests.bench $(ARGS)

demo: $(VENV)/test.ok
	exec $(BIN)/python -m tests.demo $(ARGS)

# One version of each package in all four files: each is compiled within the one before it.
LOCK = .cache/lock/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(ARGS)
lock: .cache/lock/bin/uv
	$(LOCK) pyproject.toml -o $(PINS)-runtime.txt
	$(LOCK) pyproject.toml --extra test -c $(PINS)-runtime.txt -o $(PINS)-test.txt
	$(LOCK) pyproject.toml --extra test --extra lint -c $(PINS)-test.txt -o $(PINS)-lint.txt
	echo hatchling | $(LOCK) - -c $(PINS)-lint.txt -o $(PINS)-build.txt

clean:
	rm -rf $(VENV) .cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A stamp beside each set: what has not changed is not installed again, and a second `make run` starts at once.
$(VENV)/runtime.ok: $(PINS)-runtime.txt $(PINS)-build.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r $(PINS)-build.txt -r $(PINS)-runtime.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.ok: $(PINS)-test.txt $(VENV)/runtime.ok
	$(PIP) install --require-hashes -r $(PINS)-test.txt
	@touch $@

$(VENV)/lint.ok: $(PINS)-lint.txt $(VENV)/test.ok
	$(PIP) install --require-hashes -r $(PINS)-lint.txt
	@touch $@

$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "AuditTrail needs Python 3.11 or newer, and none was found. Install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Installing into $(VENV) with $$($$found --version). This takes a minute, once."; \
	$$found -m venv $(VENV) || { \
		rm -rf $(VENV); echo "$$found could not make a virtual environment. On Debian: apt install python3-venv" >&2; exit 1; \
	}

.cache/lock/bin/uv: | $(BIN)/python
	$(BIN)/python -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
