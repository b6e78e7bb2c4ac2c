# make serve | test | test-compiled | check | bench | hostile | cluster: everything a person or CI types.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INI ?= test.ini
# setuptools tells every start of paster that pkg_resources is old; there is nothing for the reader to do.
export PYTHONWARNINGS ?= ignore:pkg_resources is deprecated:UserWarning

.PHONY: serve test test-compiled check bench cluster hostile clean

serve: $(VENV)/.serve
	$(BIN)/paster serve $(INI) $(ARGS)

test: $(VENV)/.test
	scripts/test $(BIN) $(ARGS)

test-compiled: $(VENV)/.test build/compiled/.made
	scripts/test-compiled $(BIN) $(ARGS)

check: $(VENV)/.dev
	scripts/check $(BIN)

hostile: $(VENV)/.test
	$(BIN)/python -m benchmarks.hostile $(ARGS)

bench: $(VENV)/.bench build/compiled/.made
	$(BIN)/python -m benchmarks $(ARGS)

cluster: $(VENV)/.cluster
	scripts/cluster $(BIN)

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.serve: setup.cfg | $(VENV)/bin/python
	$(BIN)/pip install -qq --editable .
	touch $@

$(VENV)/.cluster: setup.cfg | $(VENV)/bin/python
	$(BIN)/pip install -qq --editable '.[redis]'
	touch $@ $(VENV)/.serve

$(VENV)/.test: setup.cfg | $(VENV)/bin/python
	$(BIN)/pip install -qq --editable '.[test,browser]'
	touch $@ $(VENV)/.serve $(VENV)/.cluster

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/pip install -qq --editable '.[dev]'
	touch $@

$(VENV)/.bench: setup.cfg benchmarks/requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install -qq --editable '.[client]' --requirement benchmarks/requirements.txt
	touch $@ $(VENV)/.serve

build/compiled/.made: setup.py scripts/compile $(shell find cogen chatapp -type f -not -name "*.pyc") | $(VENV)/bin/python
	$(BIN)/pip install -qq 'mypy >=1.18' 'setuptools >=80.10.1, <82'
	scripts/compile $(BIN)
	touch $@
