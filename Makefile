# Each target prepares what it needs: on a fresh machine `make demo` is the first thing to type.
#   PYTHON=python3.12   the interpreter     VENV=/path   where the environment goes
#   DEMO=restore        a damaged face, restored step by step, instead of the loop
PYTHON ?= python3
VENV ?= .venv

PREPARE = $(PYTHON) tools/environment.py "$(VENV)"
RUN = "$(VENV)/bin/python"
# Tests that are left when a process has none go to it, so that all end together.
SHARED = -n auto --maxprocesses=8 --dist=worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo bench-quality bench-learned bench-study bench-traces test try-wheel try-readers test-long test-random bench docs screenshots lint format pins clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## prepare the environment alone
	@$(PREPARE)

demo: setup ## run the loop in napari and leave the steps in demo/
	@"$(VENV)/bin/napari-diffusion" demo $(DEMO) --output demo

test: lint ## check the style and the types, then run the tests
	@$(RUN) -m pytest $(SHARED)

try-wheel: setup ## build the package, install it beside napari, open every widget there
	@$(RUN) tools/try_wheel.py "$(VENV)-wheel"

try-readers: setup ## write OME-Zarr images, open every one with ome-zarr-py and bioio
	@$(RUN) tools/try_readers.py "$(VENV)-readers"

test-long: setup ## run the campaigns: every law on every case, many drawn examples (hours)
	@HYPOTHESIS_PROFILE=long $(RUN) -m pytest $(SHARED) -m "long or hypothesis"

test-random: setup ## draw a thousand million random numbers and judge them (minutes)
	@$(RUN) -m pytest tests/noise/random_battery.py

lint: setup ## check the style and the types
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@"$(VENV)/bin/lint-imports" --no-cache

format: setup ## put the code into its usual form
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

bench: ## measure the speed against other libraries
	@$(PREPARE) bench
	@$(RUN) -m benchmarks

bench-quality: ## measure the denoiser beside others, with the truth at hand
	@$(PREPARE) bench
	@$(RUN) -m benchmarks.quality

bench-learned: ## measure what was learned: restorations beside simple methods
	@$(PREPARE) bench
	@$(RUN) -m benchmarks.learned

bench-study: setup ## measure how well the studies predict, with the truth at hand
	@$(RUN) -m benchmarks.study

bench-traces: setup ## measure how well traces are read, on changes whose places are known
	@$(RUN) -m benchmarks.traces

screenshots: setup ## walk as a new user would, and keep what is seen in screenshots/
	@NAPARI_DIFFUSION_SCREENSHOTS="$(CURDIR)/screenshots" $(RUN) -m pytest -q \
		tests/widgets/test_walks.py tests/widgets/test_dock_looks.py

docs: ## build the pages into site/
	@$(PREPARE) docs
	@$(RUN) -m mkdocs build --strict --site-dir site

pins: ## renew constraints.txt
	@$(PREPARE) pins
	@$(RUN) -m uv pip compile --quiet --universal --upgrade --all-extras \
		--no-header --no-annotate pyproject.toml > constraints.new
	@grep -v pypy constraints.new > constraints.txt
	@rm constraints.new

clean: ## remove what the other targets left, but the environment
	rm -rf build demo dist screenshots site .mypy_cache .pytest_cache .ruff_cache
