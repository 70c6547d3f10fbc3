# The verbs of this project; `make` alone lists them. Each verb that needs Python packages first sets its
# environment up, once (deploy/bootstrap.sh), so no other step is ever needed before it.

PYTHON ?= python3
CLIENT ?= stable
ARGS ?=
CASES ?= 100000
SEEDS ?= 20
SEED ?=
JOBS ?= 10000
REFERENCE ?=
AGAINST ?=
DESTDIR ?=
PREFIX ?= /opt/neops-supervisor

# Passed as arguments, not exported: what a verb runs must not see this file's settings in its environment.
ENVIRONMENT = sh deploy/bootstrap.sh '$(PYTHON)' '$(CLIENT)'

.DEFAULT_GOAL := help
.PHONY: help demo test contract lint types bench bench-growth bench-counts bench-floor bench-timeline bench-competitors bench-page zoo device-faults isolation systemd-test lab redteam fuzz features top-picture mutants redaction compat reference chaos crashpoints soak scale-out blocking device-scale device-truth unprivileged docs env lock install uninstall clean

help: ## List the verbs
	@echo 'Verbs:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1\t\2/p' Makefile | expand -t 13 | sed 's/^/  /'
	@echo
	@echo 'Settings, given as NAME=value behind the verb:'
	@echo '  PYTHON  the interpreter, 3.11 or newer (now: $(PYTHON))'
	@echo '  CLIENT  the engine client: stable or next (now: $(CLIENT))'
	@echo '  ARGS    further arguments for demo, test, contract, bench, bench-growth, bench-counts, bench-floor, bench-timeline, bench-competitors, bench-page, zoo, device-faults, isolation, lab, redteam, fuzz, features, mutants, chaos, crashpoints, scale-out, blocking, device-scale and unprivileged'
	@echo '  CASES   how many cases fuzz runs (now: $(CASES)); redaction: 10000, if not given'
	@echo '  SEEDS   how many seeds of chaos (now: $(SEEDS)); SEED=n repeats one'
	@echo '  JOBS    how many jobs of soak (now: $(JOBS))'
	@echo '  AGAINST  a commit that bench compares this version with: both in turn, the ratio of each figure'
	@echo '  PREFIX  where install puts the environment (now: $(PREFIX)); DESTDIR is put before all its paths'
	@echo '  REFERENCE  where reference leaves its environment, for compat, bench-competitors and bench-page to use; by default it is thrown away'

demo: ## Run an engine, the worker and an emulated device, and show what becomes of each job
	@$(ENVIRONMENT) supervisor demo $(ARGS)

test: ## Run the whole test suite
	@$(ENVIRONMENT) python -m pytest -n auto --dist loadfile $(ARGS)

contract: ## Run the conformance tests of the engine's contract (see CLIENT)
	@$(ENVIRONMENT) python -m pytest -n auto --dist loadfile -m contract $(ARGS)

lint: ## Check style, formatting and the import rules
	@$(ENVIRONMENT) ruff check
	@$(ENVIRONMENT) ruff format --check
	@$(ENVIRONMENT) lint-imports

types: ## Check types with mypy and basedpyright
	@$(ENVIRONMENT) mypy
	@$(ENVIRONMENT) basedpyright

bench: ## Measure job latency, throughput and heartbeat lateness; or compare with a commit (see AGAINST)
	@$(ENVIRONMENT) python -m tests.programs.bench $(if $(AGAINST),--against '$(AGAINST)' --client '$(CLIENT)') $(ARGS)

bench-growth: ## Measure what a job costs when blocks, contexts, jobs and queues grow; ARGS="idle large" runs only these cases
	@$(ENVIRONMENT) python -m tests.programs.bench.growth $(ARGS)

bench-counts: ## Count what a job uses (system calls, fsyncs, faults, processor time), and compare with the limits
	@$(ENVIRONMENT) python -m tests.programs.bench.counts $(ARGS)

bench-floor: ## Measure what a process for each job takes at least here, with nothing around it, beside this worker
	@$(ENVIRONMENT) python -m tests.programs.bench.floor $(ARGS)

bench-timeline: ## Show where the milliseconds of one job go, step by step
	@$(ENVIRONMENT) python -m tests.programs.bench.timeline $(ARGS)

bench-competitors: ## Measure other workers in turn with this one, and what each makes of blocks that go wrong (see REFERENCE)
	@$(ENVIRONMENT) python -m tests.programs.bench.competitors $(if $(REFERENCE),--reference '$(REFERENCE)') $(ARGS)

bench-page: ## Measure all of it, and write docs/benchmarks.md with its pictures; ARGS=--from-kept measures nothing
	@$(ENVIRONMENT) python -m tests.programs.bench.page $(if $(REFERENCE),--reference '$(REFERENCE)') $(ARGS)

zoo: ## Run every hostile block through one real worker, and show what became of each
	@$(ENVIRONMENT) python -m tests.programs.zoo $(ARGS)

device-faults: ## Have blocks meet every bad input that a device can be, and show what each call made of it
	@$(ENVIRONMENT) python -m tests.programs.device_faults $(ARGS)

isolation: ## Try from a job all that the documentation says a job can't reach, on simulated older kernels too
	@$(ENVIRONMENT) python -m tests.programs.isolation $(ARGS)

redteam: ## Replay every known attack on a real worker, and show which ones hold
	@$(ENVIRONMENT) python -m tests.programs.redteam $(ARGS)

systemd-test: ## Run the service as it is shipped under a real systemd, in namespaces (as root)
	@$(ENVIRONMENT) python -m tests.programs.systemd $(ARGS)

lab: ## Run jobs on real routers (FRR in namespaces), and show what they see, change and undo
	@$(ENVIRONMENT) python -m tests.programs.lab $(ARGS)

fuzz: ## Send what nobody would send: frames of children, the template's reports, the engine's answers
	@$(ENVIRONMENT) python -m tests.programs.fuzz --cases $(CASES) $(ARGS)

top-picture: ## Make the picture of `supervisor top` in README anew, of a worker that really runs
	@$(ENVIRONMENT) python -m tests.programs.top_picture

features: ## Take each feature of the operators' table away, one at a time, and see its test fail
	@$(ENVIRONMENT) python -m tests.programs.features $(ARGS)

mutants: ## Put small faults into a copy of the code, one at a time, and see which ones the tests notice
	@$(ENVIRONMENT) python -m tests.programs.mutants $(ARGS)

redaction: ## Write secrets in every way to every place where a text leaves the worker, and look for them (see CASES)
	@$(ENVIRONMENT) python -m tests.programs.redaction --cases $(if $(filter file,$(origin CASES)),10000,$(CASES)) $(ARGS)

compat: ## Run blocks written for neops_worker_sdk, and compare with what its own worker gave (see REFERENCE)
	@$(ENVIRONMENT) python -m tests.programs.compat $(if $(REFERENCE),--environment '$(REFERENCE)') $(ARGS)

reference: ## Install neops_worker_sdk (Python 3.12 or newer), run the same blocks by its worker, keep the outcomes
	@$(ENVIRONMENT) python -m tests.programs.compat.reference $(if $(REFERENCE),--environment '$(REFERENCE)') $(ARGS)

chaos: ## Run jobs while a seeded generator kills, stops and fills everything (see SEEDS)
	@$(ENVIRONMENT) python -m tests.programs.chaos $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

crashpoints: ## Kill the supervisor at every step of a job's life, and look whether anything is lost
	@$(ENVIRONMENT) python -m tests.programs.crashpoints $(ARGS)

soak: ## Run thousands of jobs through one worker, and look what they leave in it (see JOBS)
	@$(ENVIRONMENT) python -m tests.programs.soak --jobs $(JOBS)

scale-out: ## Run 2000 jobs on twenty workers and kill five of them; compare what each tells with the truth (ARGS=--short: 200 on six)
	@$(ENVIRONMENT) python -m tests.programs.scale_out $(ARGS)

blocking: ## Run jobs that await and jobs that block, and see that only these are reported
	@$(ENVIRONMENT) python -m tests.programs.blocking $(ARGS)

device-scale: ## Ask fifty emulated devices, sixteen at a time, and healthy ones beside those that hang
	@$(ENVIRONMENT) python -m tests.programs.device_scale $(ARGS)

device-truth: ## Look for outputs of devices that are cut off: lines like the prompt, and a pause at every byte
	@$(ENVIRONMENT) python -m tests.programs.device_truth $(ARGS)

unprivileged: ## Run what touches processes as a user without rights: tests, zoo, attacks, isolation and demo (started by root or not)
	@sh deploy/unprivileged.sh '$(PYTHON)' '$(CLIENT)' $(ARGS)

docs: ## Write the generated pages of the documentation (the API reference)
	@$(ENVIRONMENT) python -m docs.tools

env: ## Set the environment up and do nothing else
	@$(ENVIRONMENT) true

lock: ## Resolve the locked requirements anew, to the newest versions that pyproject.toml allows
	@sh deploy/lock.sh '$(PYTHON)'

install: ## Install the worker as a service: environment, units, example of the settings (as root; see DESTDIR, PREFIX)
	@sh deploy/service.sh install '$(PYTHON)' '$(CLIENT)' '$(DESTDIR)' '$(PREFIX)'

uninstall: ## Remove what install has put there; settings and drop-ins of your own, and the journal, stay
	@sh deploy/service.sh uninstall '$(PYTHON)' '$(CLIENT)' '$(DESTDIR)' '$(PREFIX)'

clean: ## Remove the environments, caches and built files
	rm -rf .venv-*-stable .venv-*-next dist build
	rm -rf .mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find supervisor jobrunner sdk blocks tests -name __pycache__ -prune -exec rm -rf {} +
