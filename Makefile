# Everything starts from python3, pip, make and git. `make run` and `make test` are all one needs.

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin

# The system's certificates, and the interpreter that is there.
export UV_SYSTEM_CERTS ?= 1
export UV_PYTHON_DOWNLOADS := never
export UV_CUSTOM_COMPILE_COMMAND := make lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run demo test test-all test-celery test-spark check lint setup lock bench faults notebooks vendor clean

run: .venv/.run
	$(BIN)/skan-receiver serve

# A sandbox under var/demo, with a simulated history that ends today.
demo: .venv/.run
	$(BIN)/skan-receiver demo

test: .venv/.test
	$(BIN)/python -m tests.left_out
	$(BIN)/pytest -n 2 -m "not browser and not slow and not broker and not spark"

# What needs Debian's packages too: `.ci/run` installs them. Nothing may be left out here.
test-all: test .venv/.dev
	$(MAKE) lint
	$(BIN)/pytest -n 2 -m "browser or slow" --require-everything
	$(MAKE) test-celery
	$(MAKE) test-spark
	$(MAKE) faults

# Celery with real brokers: Debian's redis-server and rabbitmq-server.
test-celery: .venv/.dev
	$(BIN)/pytest -n 2 --require-everything tests/engine

# Expressions on a Spark cluster of three processes: Debian's openjdk-17-jre-headless.
test-spark: .venv/.spark
	$(BIN)/pytest --require-everything tests/reports/analytics/test_spark.py

check: lint test

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev
	for figure in verify receive importing simulator decode suggest deliver backlog estimation settle dashboard analytics pages; do \
		$(BIN)/python -m benchmarks.$$figure || exit 1; done

faults: .venv/.test
	$(BIN)/python -m tests.faults.run

setup: .venv/.run .venv/.test

# Each set-up holds what the one before it holds, at the same versions.
.venv/.run: requirements/run.txt
.venv/.test: requirements/test.txt
.venv/.dev: requirements/dev.txt
.venv/.spark: requirements/spark.txt
.venv/.test .venv/.dev .venv/.spark: | .venv/.run
.venv/.%: requirements/%.txt pyproject.toml | .venv
	$(UV) pip install -q --python .venv --require-hashes -r $<
	$(UV) pip install -q --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.venv: | $(UV)
	$(UV) venv -q --python $(PYTHON) .venv

# --target is exempt from Debian's "externally managed" mark, and needs no venv module.
$(UV):
	$(PYTHON) -m pip install -q --root-user-action=ignore --target .tools "uv==0.13.9"

# --universal: one file for every platform and Python we support, usable by pip alone.
COMPILE = $(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --no-annotate \
	--no-emit-index-url --no-emit-find-links pyproject.toml --extra postgres --extra simulator --group build
lock: | $(UV)
	$(COMPILE) -o requirements/run.txt
	$(COMPILE) --group test --extra analytics --extra oidc -c requirements/run.txt -o requirements/test.txt
	$(COMPILE) --group test --group e2e --group dev --extra analytics --extra oidc --extra celery \
		-c requirements/test.txt -o requirements/dev.txt
	$(COMPILE) --group test --extra analytics --extra oidc --extra spark \
		-c requirements/dev.txt -o requirements/spark.txt

# The notebooks from their sources, without outputs.
notebooks: .venv/.test
	for source in notebooks/*.py; do $(BIN)/jupytext --quiet --to ipynb $$source || exit 1; done

# Front-end files, from npm, checked against vendor.json (needs npm).
vendor: .venv/.run
	$(BIN)/python deploy/vendor.py

clean:
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
