# The few commands a person types. Each installs what it needs first, into .venv.
.DEFAULT_GOAL := help
.PHONY: help docs site demo test check unit integration faults simulate scenarios fuzz bench chart-live containers audit format image pins clean

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make pins" --constraints constraints.txt

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("audience-sync needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Say which one: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" -c constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[demo,registry,traces]' --group dev
	@touch $@

demo: .venv/installed ## events in, requests out, on an embedded broker and an emulated Chat API; under two minutes
	@$(BIN)/audience-sync demo

check: .venv/installed ## format, lint, types, and every test that needs no broker; two minutes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -q -n auto tests/unit tests/properties tests/contract tests/chart tests/docs tests/simulation/test_simulation.py tests/scenarios

test: check ## everything; a real Kafka is found or fetched, and started
	$(PYTEST) -n 2 --dist worksteal tests/faults  # they wait for most of their time
	$(PYTEST) -n 2 --dist loadfile --ignore=tests/unit --ignore=tests/properties --ignore=tests/contract --ignore=tests/chart --ignore=tests/docs --ignore=tests/simulation/test_simulation.py --ignore=tests/scenarios --ignore=tests/faults

integration: .venv/installed ## the tests on a real broker
	$(PYTEST) -m broker

faults: .venv/installed ## replicas killed and restarted under load, in full size; an hour
	AUDIENCE_SYNC_TEST_FULL=1 AUDIENCE_SYNC_TEST_WRITE_PAGES=1 $(PYTEST) -s tests/faults

SEEDS ?= 1000
simulate: .venv/installed ## made-up histories of the whole service: SEEDS=10000 of them, or SEED=123 again
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(if $(COURSE),--course $(COURSE)) $(if $(MUTATION),--mutation $(MUTATION))

EVENTS ?= 1000000
fuzz: .venv/installed ## EVENTS=1000000 spoilt records through the way in: each counted, none stuck; SEED=123 again
	$(BIN)/python -m tests.fuzz --records $(EVENTS) $(if $(SEED),--seed $(SEED))

bench: .venv/installed ## ours beside others, in one run: events a second, CPU, delay, memory; a quarter of an hour, ONLY=throughput
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

scenarios: .venv/installed ## what an engineer would ask for, on virtual time, each with its figures; or SCENARIO=burst
	$(BIN)/python -m tests.scenarios $(SCENARIO)

chart-live: .venv/installed ## the chart on a real Kubernetes API server: each example installed, upgraded to, rolled back, removed
	$(PYTEST) -m kubernetes

containers: .venv/installed ## the image that ships, wired to Kafka and the emulator in containers
	$(PYTEST) -m containers

image: ## the image, by Docker, buildah or podman: IMAGE=audience-sync, BASE=python:3.13-slim
	@IMAGE=$(IMAGE) BASE=$(BASE) image/build.sh

pins: .venv/installed ## ask for the hashes of what the image installs, after a change of constraints.txt
	$(PIN) --extra registry --extra traces pyproject.toml --output-file image/packages.txt
	$(PIN) --group image --output-file image/tools.txt

docs: .venv/installed ## make the reference pages from the code again
	$(BIN)/python -m docs.make_reference
	AUDIENCE_SYNC_TEST_WRITE_PAGES=1 $(PYTEST) -q tests/contract/test_every_call.py

site: .venv/installed ## the pages as a site in build/site, to be opened or served; a broken link is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --conf-dir docs/site --doctree-dir build/site-read . build/site

audit: ## ask for known vulnerabilities of the pinned packages, where advisories can be had
	@test -d build/audit || $(PYTHON) -m venv build/audit
	@build/audit/bin/python -m pip install --quiet "pip-audit~=2.10"
	@build/audit/bin/python -m tests.support.audit

format: .venv/installed ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## forget everything that was made
	rm -rf .venv build dist
