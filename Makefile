# Every target sets up what it needs from a bare Python 3.11 with pip: a virtual environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-fast test-experiments test-faults test-fuzz lint audit format bench docs clean

demo: .venv/ready  ## search architecture and recipe together: foretell, TPE and random; writes foretell-demo/report.html
	$(BIN)/foretell demo

test: .venv/ready  ## all tests but the two kinds below that take minutes, in three processes
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-fast: .venv/ready  ## without real experiments and slow ones
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not nni and not slow"

test-experiments: .venv/ready  ## whole experiments of NNI: its manager, failing trials, stops and resumptions, its hub
	$(BIN)/python -m pytest -m experiments tests/experiments

test-faults: .venv/ready  ## kills, restarts, full disks, hostile objectives; a table of faults against results lost
	$(BIN)/python -m pytest -m faults tests/faults

test-fuzz: .venv/ready  ## 10,000 damaged files, each refused by an error of ours or read; under three minutes
	$(BIN)/python tests/fuzz/run.py --files 10000

lint: .venv/ready  ## style, types, import direction, licences of what is installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pip-licenses --summary --ignore-packages foretell $$($(BIN)/python -m pip list --format freeze | grep -oE '^(nvidia|cuda)-[^=]*')

audit: .venv/ready  ## dependencies with known weaknesses, by a service on the network
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.7,<3"
	$(BIN)/pip-audit --skip-editable

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready  ## measurements, into bench/
	mkdir -p bench
	$(BIN)/foretell bench latency --out bench/latency.jsonl

docs: .venv/ready  ## the documentation as a site, into site/
	PYTHONPATH=docs NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[all,test,dev,docs]"
	touch $@

clean:
	rm -rf .venv site .mypy_cache .ruff_cache .pytest_cache foretell-demo
