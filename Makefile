# The commands of Nightpress's own repository, whose root is the demo site. Each one does its
# own set-up; the first takes a minute, later ones a moment. Needs: make, Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
SITE ?= .

.PHONY: help nightly serve test lint format bench soak lock clean runtime development benchmarks

help:
	@echo 'make nightly   read the records, build, check and publish the site (a demo, if no source is named)'
	@echo 'make serve     look at the published site on this machine'
	@echo 'make test      lint and test everything'
	@echo 'make lint      lint only; make format puts right what can be put right'
	@echo 'make bench     measure against the peers'
	@echo 'make soak      long campaigns of faults, load and hostile input'
	@echo 'make lock      choose the newest versions of the packages and pin them'
	@echo 'make clean     remove what set-up made; var/ and output/ stay'

nightly: runtime
	@$(BIN)/nightpress nightly --site $(SITE) $(ARGS)

serve: runtime
	@$(BIN)/nightpress serve --site $(SITE) $(ARGS)

test: lint
	@$(BIN)/python -m tools.components install
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: development
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: development
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

soak: benchmarks
	@$(BIN)/python -m tools.components install
	@$(BIN)/python -m benchmarks.soak $(ARGS)

lock:
	@$(PYTHON) -m tools.lock

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist benchmarks/work tests/node/node_modules

# Asked every time and answered in a moment: tools/environment.py compares digests.
runtime development benchmarks:
	@command -v $(PYTHON) >/dev/null || { echo 'Nightpress needs Python 3.11 or newer, and there is no $(PYTHON). Install it (Debian, Ubuntu: apt-get install python3) or name one: make PYTHON=/path/to/python3 …' >&2; exit 1; }
	@$(PYTHON) tools/environment.py $@
