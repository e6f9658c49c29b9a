# RL Maze. `make` or `make help` lists the targets; everything is installed inside this folder.
PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE = 1
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SCRIPT = @exec $(PYTHON) scripts
DEFAULT_MODEL = $(shell sed -n 's/.*"model_id": *"\([^"]*\)".*/\1/p' ml/models/default.json)

# Variables given to make (make run PORT=4000 DATA_DIR=…) reach the programs, because make exports those of its command line.

##@ Use
.PHONY: run
run: ## Start everything and print the address of the page; what trainings need is installed beside it
	$(SCRIPT)/run.py --with-parent

.PHONY: dev
dev: ## The same with reload: the page on change (next dev), the server rebuilt and started again
	@$(PYTHON) scripts/bootstrap.py light web
	@exec .tools/pnpm/node_modules/.bin/pnpm --silent run dev

.PHONY: trainer
trainer: ## The training service alone, on 127.0.0.1:8090; the first time it installs PyTorch
	@$(PYTHON) scripts/bootstrap.py light train
	@exec env PYTHONPATH=gen/python .venv/bin/python -m rlmaze_trainer

##@ Check
.PHONY: test
test: ## Everything: Go with -race, Python, conformance, web, browser (under 25 minutes on two cores)
	$(SCRIPT)/test.py

.PHONY: lint
lint: ## Formatters, linters and type checkers of all languages
	$(SCRIPT)/verify.py lint

.PHONY: verify
verify: ## Generated files fresh, contract not broken, SQL prepared, everything linted, no hosts or paths
	$(SCRIPT)/verify.py

.PHONY: conformance
conformance: ## Go and Python play the same random episodes, 1,000,000 steps, bit-equal; then connectrpc's own suite
	$(SCRIPT)/test.py --full conformance connect

.PHONY: soak
soak: ## The full counts: 1,000 cut episodes, 1,000 dropped streams, 100 stalled readers, 1,000 viewers for a minute, 90 killed trainings
	$(SCRIPT)/test.py --full soak

.PHONY: bench
bench: ## Side-by-side programs against peers; prints one table of ratios
	@$(PYTHON) scripts/bootstrap.py light web bench
	@exec .venv/bin/python benchmarks/run.py

.PHONY: ops-check
ops-check: ## promtool over the alert rules and their tests in ops/ (the first time it compiles Prometheus, minutes)
	$(SCRIPT)/ops_check.py

.PHONY: docker-check
docker-check: ## Build every Dockerfile with buildah on local stand-ins and ask each service's health (root, Debian)
	@exec bash scripts/docker_check.sh

##@ Models
.PHONY: train-models
train-models: ## Train, evaluate and export the shipped models again, from ml/configs into ml/models/runs/shipped
	@$(PYTHON) scripts/bootstrap.py light train
	@exec .venv/bin/rlmaze train-models $(if $(ONLY),--only $(ONLY))

.PHONY: sweep
sweep: ## Train over seeds and a search space, all cores: make sweep SWEEP=ml/configs/sweeps/….yaml; ON=ray for several machines
	@$(PYTHON) scripts/bootstrap.py light $(if $(filter ray,$(ON)),sweep,train)
	@exec env PYTHONPATH=gen/python .venv/bin/python -m rlmaze_trainer sweep $(or $(SWEEP),$(error SWEEP names no file; see ml/configs/sweeps)) $(if $(ON),--on $(ON))

.PHONY: notebooks
notebooks: ## Run the notebooks of experiments/ with their full budget and keep what they show
	@$(PYTHON) scripts/bootstrap.py light notebooks
	@exec .venv/bin/python experiments/run_all.py --write

.PHONY: evaluate
evaluate: ## Success, interval and SPL of all models beside the baselines; SEEDS=10 plays the default model on ten times 1,000 fresh mazes
	@$(PYTHON) scripts/bootstrap.py light train
	@exec .venv/bin/rlmaze evaluate $(if $(SEEDS),--seeds $(SEEDS) --models $(or $(MODELS),$(DEFAULT_MODEL)),$(if $(MODELS),--models $(MODELS),--no-failures))

##@ Maintain
.PHONY: generate
generate: ## Write Go, TypeScript, Python and SQL code and docs/openapi.yaml from api/ and db/
	$(SCRIPT)/generate.py

.PHONY: lock
lock: ## Resolve requirements/*.lock again from */pyproject.toml and requirements/*.in
	$(SCRIPT)/lock.py

.PHONY: screenshots
screenshots: ## Take docs/images again from a running product
	$(SCRIPT)/screenshots.py

.PHONY: clean
clean: ## Remove what was built and installed here; .data (models' registry, episode log) stays
	@chmod -R u+w .tools 2>/dev/null || true
	@rm -rf .tools .venv node_modules apps/*/node_modules packages/*/node_modules gen/ts/node_modules apps/web/.next api/third_party

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "; print "make <target>; the first two to try are run and test"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
