# Two commands for a fresh machine: `make demo` and `make test`. Each does all the
# set-up it needs, once; the stamp files make a second run start in seconds.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The virtual environment comes first, so that its Node.js (if it has one) is found.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# Where nothing may be kept of what Python compiles, each process of the tests compiles
# the house anew: minutes of a core in all.
unexport PYTHONDONTWRITEBYTECODE

# The tests' own processes; more than the machine has cores make them slower.
TEST_PROCESSES := 2

PYTHON_READY := .venv/ready
LAB_READY := .venv/lab-ready
BROWSER_READY := node_modules/ready
TYPING_READY := .typing/yoked/ready
WEIGHTS_READY := .venv/weights/ready

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

.PHONY: demo
demo: $(PYTHON_READY) $(BROWSER_READY) ## Run the main job end to end (DEMO_ARGS=--no-serve ends without the web task)
	yoked demo $(DEMO_ARGS)

.PHONY: test
test: lint system-packages $(WEIGHTS_READY) ## Check style and types, then run every test (TEST_ARGS goes to pytest)
	npm run --silent test
	python -m pytest --numprocesses $(TEST_PROCESSES) $(TEST_ARGS)

.PHONY: quick
quick: style ## Style, types and the tests of what changed: 90 seconds at most
	@$(MAKE) --no-print-directory --jobs 2 types changed

.PHONY: changed
changed: $(LAB_READY) $(BROWSER_READY) $(WEIGHTS_READY)
	npm run --silent test
	.ci/quick-tests

.PHONY: lint
lint: style types ## Check style and types only

.PHONY: style
style: $(PYTHON_READY)
	ruff check . .ci/quick-tests
	ruff format --check . .ci/quick-tests

.PHONY: types
types: $(LAB_READY) $(BROWSER_READY) $(TYPING_READY)
	pyright
	npm run --silent check

.PHONY: bench
bench: $(PYTHON_READY) ## Print the speed of the generator beside this machine's baseline
	yoked bench $(BENCH_ARGS)

.PHONY: clean
clean: ## Remove everything that make made; data stays
	rm -rf .venv .typing node_modules static/vendor build yoked.egg-info
	rm -rf .pytest_cache .ruff_cache .hypothesis

# Set-up ----------------------------------------------------------------------------

# Browsers, what a PsychoPy window without a screen needs, and proxies for a server.
.PHONY: system-packages
system-packages: $(PYTHON_READY)
	@.ci/system-packages chromium xvfb xauth xdotool libgl1 libgl1-mesa-dri \
	  libglx-mesa0 libglu1-mesa libegl1 libjack-jackd2-0 libusb-1.0-0 libportaudio2 \
	  libxi6 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
	  'caddy?' 'nginx-light?' 'apache2-bin?' 'firefox-esr?' openssl postgresql

$(PYTHON_READY): pyproject.toml constraints.txt .ci/python-environment
	@.ci/python-environment
	@touch $@

# PsychoPy is large: the tests need it, the demonstration does not.
$(LAB_READY): $(PYTHON_READY)
	@echo "Installing PsychoPy for the lab's tests (1.6 GB, once)."
	@python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable ".[lab]"
	@touch $@

$(BROWSER_READY): package.json package-lock.json static/vendor.mjs | $(PYTHON_READY)
	npm ci --no-audit --no-fund --loglevel=error
	npm run --silent vendor
	@touch $@

# Pretrained networks for the tests (31 MB, once); where none can be fetched, they skip.
$(WEIGHTS_READY): models/networks/pretrained.py | $(PYTHON_READY)
	@mkdir -p $(@D)
	@for network in mobilenet-v2 efficientnet-lite0; do \
	  YOKED_CACHE=$(@D) yoked weights $$network --csv >$(@D)/$$network.csv || exit 0; \
	done; touch $@

# The rooms under the name that they are imported by, for pyright (see CONTRIBUTING.md).
$(TYPING_READY): Makefile
	@mkdir -p .typing/yoked
	@ln -sfn -t .typing/yoked ../../analysis ../../app ../../experiments ../../models \
	  ../../yoked/__init__.py ../../yoked/__main__.py ../../yoked/psychopy.py \
	  ../../yoked/py.typed
	@touch $@
