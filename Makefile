# Parley: what there is to do. 'make' alone lists it.

CARGO ?= cargo
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run-server run-client build test bench soak check clean cargo

help: ## List what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
		awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo "  Options go into ARGS: make run-server ARGS='--port 0'"

run-server: build ## Build the server and run it on 127.0.0.1 port 5378
	@exec ./target/release/server $(ARGS)

run-client: build ## Build the client and connect it to 127.0.0.1 port 5378
	@exec ./target/release/client $(ARGS)

build: cargo ## Build both programs in target/release
	@$(CARGO) build --release --locked --quiet

# The tests open thousands of connections; where the default allows few open files, more of them are asked for. Most of them
# wait for something most of the time, so that more of them run side by side than there are processors.
test: cargo ## Run all tests
	@ulimit -n "$$(ulimit -H -n)" 2>/dev/null || true; $(CARGO) test --locked --no-run && begun=$$(date +%s) && \
		RUST_TEST_THREADS="$${RUST_TEST_THREADS:-6}" $(CARGO) test --locked && \
		echo "All tests have passed in $$(($$(date +%s) - begun)) s."

bench: build ## Measure what the server moves on this machine
	@exec ./target/release/bench $(ARGS)

soak: cargo ## Run the tests that take half a minute and more
	@ulimit -n "$$(ulimit -H -n)" 2>/dev/null || true; $(CARGO) test --locked --release --test it -- --ignored

check: cargo ## Everything that must hold before a change lands
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(MAKE) test
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

clean: cargo ## Remove what was built
	@$(CARGO) clean

cargo:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
		echo "Parley needs Rust's cargo, which is not installed: get it from https://rustup.rs or from your system's packages." >&2; \
		exit 1; }
