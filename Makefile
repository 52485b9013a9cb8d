# Everything a newcomer needs is two commands: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python

.PHONY: help setup run test check train bench

help: ## Say what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## Make both Python environments (uv is fetched when it is missing).
	@scripts/setup

run: setup ## Set up, train when the dialogue changed, load the demonstration firm, start, print the addresses.
	@exec ./rapport run --demo

train: setup ## Train the assistant when the dialogue changed.
	@./rapport train

check: setup ## Lint, types, import contracts, firm.yml and the dialogue.
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy crmcore actions web cli serve demo checks && .venv/bin/lint-imports && ./rapport check

test: check train ## Run every test against real parts: a browser, Rasa, PostgreSQL.
	@$(PYTHON) -m pytest -n 2 --dist loadfile

bench: setup ## Measure speed beside named peers and write bench/results/.
	@$(PYTHON) -m bench
