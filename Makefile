# Every target sets up what it needs: uv if it is missing, then everything from the lock files.
SHELL := /bin/sh
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --quiet
CDK := $(RUN) python -m infra.node node node_modules/aws-cdk/bin/cdk
ARGS ?=
OUT ?= cdk.out
# Without a terminal nobody can approve what the CDK asks about; expanded by the shell of the recipe.
APPROVAL = $(if $(findstring --require-approval,$(ARGS)),,$$(test -t 0 || echo --require-approval never))

NO_PYTHON = Antiphon needs Python 3.13. uv finds none on this machine and cannot download it. Install it, \
for example with apt, brew or pyenv, and run make again; UV_PYTHON_INSTALL_MIRROR names a mirror for the download.

.DEFAULT_GOAL := help

# Hundreds of processes start three times as fast from .pyc files; images for containers turn them off.
export PYTHONDONTWRITEBYTECODE :=
export CDK_DISABLE_CLI_TELEMETRY := 1
export CDK_DISABLE_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0
.PHONY: help setup run test prepared clients conformance soak check types style docs format synth template bootstrap deploy checkov bench charts sbom audit

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

setup: $(filter .uv/bin/uv,$(UV))
	@$(UV) sync --frozen --quiet || { $(UV) python find --quiet --system --no-python-downloads >/dev/null 2>&1 || echo '$(NO_PYTHON)' >&2; exit 1; }

run: setup ## Start the gateway on this machine; ARGS="--port 9000" passes options on
	@exec $(RUN) antiphon local $(ARGS)

format: setup ## Rewrite the code in the house's format, and what is written from the code
	$(RUN) ruff format
	$(RUN) ruff check --fix
	$(RUN) python -m infra.reference
	$(RUN) python -m infra.pages

check: setup ## Format, lint, types, import floors, documentation
	@$(MAKE) --no-print-directory -j 2 types $(ALSO) style docs

types:
	$(RUN) mypy

style:
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) lint-imports
	$(RUN) python -m infra.reference --check
	$(RUN) python -m infra.pages --check

docs: setup ## The documentation as a site into site/; dead links are errors
	@$(UV) run --frozen --quiet --isolated --only-group docs zensical build --strict
	@! grep -rlE '<(script|link|img|iframe)[^>]* (src|href)="?(https?:)?//' --include='*.html' site  # offline

# Each process of the tests imports all of them: on a clean checkout it would compile them, too.
prepared: node_modules/.package-lock.json
	@$(RUN) python -m tests.clients.environments
	@$(RUN) pytest --collect-only -qq -n 0 >/dev/null || true  # the tests themselves show an error

test: ALSO := prepared
test: check ## Everything CI runs
	$(RUN) pytest -n 4 --dist loadfile  # more than processors: many tests wait for a time limit

clients: node_modules/.package-lock.json ## All clients of the compatibility table, also those of a large installation
	@$(RUN) python -m tests.clients.environments --all
	ANTIPHON_SOAK=1 $(RUN) pytest -q tests/clients/test_compatibility.py

soak: node_modules/.package-lock.json ## Races, chains, cuts at every byte and large tables of the tests, at full length and at both URLs
	@$(RUN) python -m tests.clients.environments --all
	ANTIPHON_SOAK=1 $(RUN) pytest -q --timeout 1800 $(shell grep -rlE "ROUNDS|IS_SOAK|@given|\bdoor\b" --include='test_*.py' tests)

conformance: setup ## The cases of Open Responses on this machine; ARGS="URL --json" measures a deployment
	@$(RUN) antiphon conformance $(ARGS)

synth: node_modules/.package-lock.json ## The template into OUT, without credentials or Docker
	$(CDK) synth --quiet --no-notices --output $(OUT) $(ARGS)

template: setup ## A template and its asset into OUT, to deploy without the CDK; ARGS as for deploy
	@$(RUN) python -m infra.template --out $(OUT:cdk.out=template.out) $(ARGS)

bootstrap: node_modules/.package-lock.json ## Prepare the AWS account and Region for deployments, once
	@$(RUN) python -m infra.preflight --skip-bootstrap $(ARGS)
	$(CDK) bootstrap --no-notices $(ARGS)

deploy: node_modules/.package-lock.json ## Bundle and deploy; ARGS="-c antiphon:stage=dev" passes options on
	@$(RUN) python -m infra.preflight $(ARGS)
	$(CDK) deploy --no-notices $(APPROVAL) $(ARGS)

checkov: synth ## Checkov's findings in the template, but for those of infra/checkov.yaml
	$(UV) tool run --quiet checkov==3.3.30 --config-file infra/checkov.yaml -f $(OUT)/*.template.json

bench: setup ## What the gateway costs, beside its peers; ARGS="--quick --json FILE"
	@$(RUN) python -m tests.bench $(ARGS)

charts: setup ## The page and the charts of a run of the bench; ARGS="docs/performance/FILE.json"
	@$(UV) run --frozen --quiet --isolated --only-group charts python -m tests.bench.charts $(ARGS)

sbom: setup ## What the functions' asset contains, as CycloneDX; ARGS="--out FILE"
	@$(RUN) python -m infra.sbom $(ARGS)

audit: setup ## Known vulnerabilities of what the asset contains; asks PyPI
	@$(RUN) python -m infra.audit $(ARGS)

node_modules/.package-lock.json: package.json package-lock.json | setup
	$(RUN) python -m infra.node npm ci --no-audit --no-fund --loglevel=error
	@touch $@
