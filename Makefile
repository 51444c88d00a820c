# Everything sets itself up: a fresh clone needs Python 3.11 and make, nothing else.
PYTHON ?= python3
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run city test check unit bench chaos audit wall image lock reference clean

help:  ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run:  ## The whole city on one machine: http://127.0.0.1:8000
	@$(PYTHON) deploy/bootstrap.py
	@exec $(PY) -m services

city:  ## The production shape on one machine: real Kafka, real TimescaleDB, a process per service
	@$(PYTHON) deploy/bootstrap.py city
	@exec $(PY) -m deploy.local city

test:  ## Every test, on real parts; ONLY=paths for some
	@$(PYTHON) deploy/bootstrap.py dev city
	@exec $(PY) -m tests $(ONLY)

check:  ## Style, types, structure, unit tests: seconds
	@$(PYTHON) deploy/bootstrap.py dev --no-wall
	@$(PY) -m tests check

bench:  ## Benchmarks; ONLY=name for one
	@$(PYTHON) deploy/bootstrap.py dev
	@exec $(PY) -m tests.bench $(ONLY)

chaos:  ## Promises under fire; FAULTS=200 SEED=n, or SCENARIO=outage|rolling
	@$(PYTHON) deploy/bootstrap.py dev
	@exec $(PY) -m $(if $(SCENARIO),tests.chaos.scenarios $(SCENARIO),\
	  tests.chaos --faults $(or $(FAULTS),200) $(if $(SEED),--seed $(SEED)))

audit:  ## Known vulnerabilities of the locked dependencies (asks the registries)
	@$(PYTHON) deploy/bootstrap.py audit
	@exec $(PY) -m deploy.audit

wall:  ## Build the wall
	@$(PYTHON) deploy/bootstrap.py

image:  ## The container image, by Docker or Podman, registry or not; dist/yiwang.tar holds it
	@$(PYTHON) deploy/bootstrap.py --no-wall
	@exec $(PY) -m deploy.image

lock:  ## Pin every Python dependency anew, with hashes
	@$(PYTHON) deploy/bootstrap.py dev --no-wall
	@.venv/bin/uv pip compile -q pyproject.toml --group dev --group city --group audit --group node --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" -o requirements.lock

reference:  ## Make docs/reference anew, from what the services say of themselves
	@$(PYTHON) deploy/bootstrap.py dev --no-wall
	@exec $(PY) -m deploy.reference

clean:  ## Remove what was set up; data stays
	rm -rf .venv services/ops_center/wall/node_modules services/ops_center/wall/dist
