# Two commands do everything on a fresh Debian or Ubuntu machine with a Rust toolchain:
#   make run    builds and opens the demo (without a display: renders it offscreen)
#   make test   everything that CI runs
# Builds go to a folder outside the checkout when there is one (CI makes it), else to ./target.

SHARED_TARGET := $(HOME)/.cache/pollux/target
export CARGO_TARGET_DIR ?= $(if $(wildcard $(SHARED_TARGET)),$(SHARED_TARGET),$(CURDIR)/target)
export POLLUX_TEST_CLIENTS ?= $(CARGO_TARGET_DIR)/test-clients
POLLUX := $(CARGO_TARGET_DIR)/debug/pollux
CARGO_FLAGS ?= --locked

.PHONY: run build test lint licences unit headless scenes pictures recordings models bench system test-system clean

run: system build
	scripts/run-demo.sh $(POLLUX)

build:
	cargo build $(CARGO_FLAGS)

test: test-system lint licences unit headless scenes
	@echo "make test: everything passed"

# Formatting, clippy and rustdoc, all with warnings as errors; both with and without the window.
lint:
	cargo fmt --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings
	cargo clippy $(CARGO_FLAGS) --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --no-deps --document-private-items

# Every dependency under a licence that allows it, from the one registry, and no window code in the headless program.
licences:
	python3 scripts/licences.py

unit:
	cargo test $(CARGO_FLAGS)

# The same program without window code: it builds, and its tests pass.
headless:
	cargo test $(CARGO_FLAGS) --no-default-features --lib --bins

# Every shipped scene is free of issues and runs.
scenes: build
	$(POLLUX) check scenes
	$(POLLUX) test scenes
	scripts/run-scenes.sh $(POLLUX)

# The pictures of the README, made by the program itself.
pictures: system build
	scripts/pictures.sh $(POLLUX)

# The recordings that scenes ship: an incident of each, from its simulated plant.
recordings: system build
	scripts/recordings.sh $(POLLUX)

# The glTF models, made by code.
models:
	cargo run $(CARGO_FLAGS) --example make_models -- assets/models

# Figures for one machine, as ratios in one run. The headless program, fully optimised.
bench:
	cargo run $(CARGO_FLAGS) --release --no-default-features -- bench all

system:
	scripts/system.sh run

test-system:
	scripts/system.sh test
	scripts/test-clients.sh

clean:
	cargo clean
