# What people type. The build itself is CMake's: see CMakePresets.json for the
# other configurations (`cmake --workflow` is not needed, `make PRESET=asan`
# builds and `make PRESET=asan test` tests one of them).

PRESET ?= release
JOBS ?= $(shell nproc)
BUILD := $(if $(filter release,$(PRESET)),build,build-$(PRESET))
PYTHON := build/venv/bin/python3
CTEST := ctest --preset $(PRESET) --no-tests=error -j $(JOBS)

SOURCES = $(shell git ls-files '*.h' '*.c' '*.cpp')
SCRIPTS = $(shell git grep -lE '^\#!.*\b(ba)?sh\b' -- ':!*.md')

# Objects built in one checkout serve the next one: ccache must neither see
# its path nor the time stamp of the precompiled header.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
export CCACHE_SLOPPINESS ?= pch_defines,time_macros,include_file_mtime,include_file_ctime

.PHONY: all setup venv models demo test check-fast families bench format lint clean \
        distclean
.DEFAULT_GOAL := all

all: setup $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	cmake --preset $(PRESET)

setup:
	scripts/setup.sh

venv: setup
	scripts/venv.sh

models: venv
	$(PYTHON) scripts/fetch-models.py --for=tests

demo: all models
	scripts/demo.sh

test: all models
	$(CTEST)

# Everything but the long-running suites; under a minute once built.
check-fast: all venv
	$(CTEST) --label-exclude slow

# Exports families of transformers with torch and compares them; hours for all.
FAMILIES ?=
families: all venv
	test -x build/venv-torch/bin/pip || python3 -m venv build/venv-torch
	build/venv-torch/bin/pip install --quiet \
	  --requirement test/models/export/requirements.txt
	build/venv-torch/bin/python3 test/families/export_families.py \
	  build/families --match '$(FAMILIES)'
	$(PYTHON) test/families/run_families.py build/families --txc $(BUILD)/bin/txc

bench: all models
	$(PYTHON) bench/bench.py

format:
	clang-format-22 -i $(SOURCES)

lint: setup $(BUILD)/build.ninja
	clang-format-22 --dry-run -Werror $(SOURCES)
	shellcheck $(SCRIPTS)
	ninja -C $(BUILD) -j $(JOBS)
	scripts/clang-tidy.sh $(BUILD)

# Keeps what was downloaded; `distclean` does not.
clean:
	test ! -f $(BUILD)/build.ninja || ninja -C $(BUILD) -t clean
	rm -rf $(BUILD)/suite $(BUILD)/demo

distclean:
	rm -rf build build-*
