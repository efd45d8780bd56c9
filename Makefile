# Every target sets up what it needs by itself. PYTHON=/path/to/python3 says which Python makes .venv.
.POSIX:
.PHONY: help setup run test lint types contracts security check format lock vendor bench faults shots clean

BIN = .venv/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: ## create .venv for running, tests and checks
	@scripts/setup.sh dev

run: ## start the service with its demonstration data
	@exec scripts/run.sh $(ARGS)

test: ## run the tests (make test ARGS="-k contradictions")
	@exec scripts/test.sh $(ARGS)

check: lint types contracts security ## lint, types, import contracts, security rules

lint: setup ## ruff: rules and format; shellcheck where it is installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@if command -v shellcheck >/dev/null; then echo shellcheck -x scripts/*.sh .ci/run; shellcheck -x scripts/*.sh .ci/run; fi

types: setup ## mypy --strict
	$(BIN)/mypy

contracts: setup ## which module may import which
	$(BIN)/lint-imports

security: setup ## bandit, medium findings and above
	$(BIN)/bandit --quiet --recursive -c pyproject.toml -ll vendorrisk app.py

format: setup ## let ruff put imports and layout right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pin requirements*.in anew (make lock ARGS=--upgrade)
	@scripts/lock.sh $(ARGS)

vendor: ## fetch the vendored front end and font again
	@scripts/vendor.sh

bench: setup ## run the benchmarks: ratios against their budgets (make bench ARGS=pages)
	@$(BIN)/python -m bench $(ARGS)

faults: setup ## kill, fill, stop and flood a real service, and count what is lost (make faults ARGS=letters)
	@$(BIN)/python -m bench.faults $(ARGS)

shots: setup ## take screenshots of the pages
	@$(BIN)/python -m bench.shots $(ARGS)

clean: ## remove .venv and caches; what the service keeps in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
