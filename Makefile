# A cloud on this machine, and the checks of its code. As root, on Debian 12: 'make up'.

PACKAGES := contract runtime controller nova_compute ovs_agent volume_agent lab
BIN := .venv/bin
# Tests that bring what they need with them: two processes share a machine. The others wait more than they work: two machines.
SIDE_BY_SIDE := tests/unit tests/contract tests/functional
WORKERS := -n 2 --dist worksteal
MACHINES := --dist loadscope --no-loadscope-reorder --tx '2*popen//python=tests/alone.sh $(BIN)/python'
# a container's wish for no bytecode would make every process start slower
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up install down demo status prepare checks lint format migration docs unit functional system faults bench test

help:  ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

up:  ## install, configure and start everything, and prove it by a demo; PROFILE=full: MariaDB, RabbitMQ, each process apart
	@lab/up/bootstrap.sh up $(if $(PROFILE),--profile $(PROFILE))

install: prepare  ## for systemd: programs to /opt/cumulet, units, samples; below DESTDIR= if given
	$(BIN)/python -m lab.install --root $(or $(DESTDIR),/)

down:  ## take everything away; PURGE=1: configuration, state and logs as well
	@lab/up/bootstrap.sh down $(if $(PURGE),--purge)

demo:  ## boot a server, ping it, log in, attach a volume
	@lab/up/bootstrap.sh demo

status:  ## which processes run
	@lab/up/bootstrap.sh status

prepare:  ## what linters and tests need; starts nothing
	@lab/up/bootstrap.sh prepare

checks:  ## ruff, mypy, import-linter; what is derived from the code is current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(wildcard $(PACKAGES))
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m lab.samples --check
	$(BIN)/python -m lab.states --check
	$(BIN)/python -m lab.migration --check

lint: checks  ## the same, and sizes of files
	$(BIN)/pytest -q tests/unit/test_sizes.py

format:  ## let ruff put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs:  ## write what is derived from the code: etc/cumulet/*.conf, docs/states.md
	$(BIN)/python -m lab.samples
	$(BIN)/python -m lab.states

migration:  ## write the migration of what was changed in the models; MESSAGE='what it is for'
	$(BIN)/python -m lab.migration "$(MESSAGE)"

unit:  ## tests of pure functions
	$(BIN)/pytest tests/unit

functional:  ## tests of the APIs on a database, and of what crosses AMQP
	$(BIN)/pytest $(WORKERS) tests/contract tests/functional

system:  ## tests on real libvirt, Open vSwitch and volumes; as root, apart from the cloud of this machine
	tests/alone.sh $(BIN)/pytest tests/system

faults:  ## kill, stop, lose and fill everything, and write docs/faults.md; as root, about two hours. PROFILE=: in that one
	rm -rf .faults
	tests/alone.sh env CUMULET_FAULT_CASES=all CUMULET_FAULT_PROFILES="$(PROFILE)" CUMULET_FAULT_NOTES=.faults \
		$(BIN)/pytest tests/faults; status=$$?; \
	$(BIN)/python -m tests.faults.table .faults docs/faults.md && exit $$status

bench:  ## what the cloud of this machine costs in time, CPU and memory, beside the bars; PARTS="boot ports": only those; WRITE=1: into docs
	. /etc/cumulet/openrc && $(BIN)/python -m tests.bench $(if $(WRITE),--write) $(PARTS)

test: prepare checks  ## set up, lint, and run all tests; what fails first ends it
	tests/alone.sh $(BIN)/pytest $(WORKERS) $(SIDE_BY_SIDE)
	$(BIN)/pytest $(MACHINES) tests $(SIDE_BY_SIDE:%=--ignore=%)
