# make serve | compiled | test | test-compiled | check | bench | bench-ordinary | hostile | first-visit | cluster | site |
# wheels | image-test: everything a person or CI types. PYTHON names another Python than the first on the PATH that is new
# enough.
PYTHON ?=
VENV ?= .venv
BIN = $(VENV)/bin
INI ?= test.ini
# setuptools tells every start of paster that pkg_resources is old; there is nothing for the reader to do.
export PYTHONWARNINGS ?= ignore:pkg_resources is deprecated:UserWarning

.PHONY: serve compiled test test-compiled check bench bench-ordinary cluster first-visit hostile image-test site wheels \
	clean FORCE

serve: $(VENV)/.serve
	@scripts/serve $(BIN) $(INI) $(ARGS)

# In build/compiled, of the sources as they are.
compiled: $(VENV)/.serve
	@$(BIN)/python scripts/compiled.py make

test: $(VENV)/.test
	scripts/test $(BIN) $(ARGS)

test-compiled: $(VENV)/.test
	scripts/test-compiled $(BIN) $(ARGS)

check: $(VENV)/.dev
	scripts/check $(BIN)

hostile: $(VENV)/.test
	$(BIN)/python -m benchmarks.hostile $(ARGS)

first-visit: $(VENV)/.test
	$(BIN)/python -m benchmarks.first_visit $(ARGS)

bench: $(VENV)/.bench
	@$(BIN)/python scripts/compiled.py make
	$(BIN)/python -m benchmarks $(ARGS)

bench-ordinary: $(VENV)/.bench
	@$(BIN)/python scripts/compiled.py make
	$(BIN)/python -m benchmarks.ordinary $(ARGS)

cluster: $(VENV)/.cluster
	scripts/cluster $(BIN)

# In build/site; a warning is an error.
site: $(VENV)/.dev
	$(BIN)/python -W ignore -m sphinx -q -W --keep-going -b html docs build/site

# What the Dockerfile does, in a bare Debian; as root, with mmdebstrap, in minutes.
image-test: $(VENV)/.test
	$(BIN)/python -m tests.containers

wheels: $(VENV)/.serve
	scripts/wheels $(BIN)

clean:
	rm -rf $(VENV) build dist packaging/*.egg-info packaging/*/build packaging/*/*.egg-info

# What is installed. The script sees whether anything is to be done.
$(VENV)/.serve $(VENV)/.cluster $(VENV)/.test $(VENV)/.dev $(VENV)/.bench: FORCE
	@scripts/install $@ $(PYTHON)

FORCE:
