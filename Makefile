# Parley: what there is to do. 'make' alone lists it.

CARGO ?= cargo
ARGS ?=
# Where 'make install' puts things, and below which folder a package is put together.
PREFIX ?= /usr/local
DESTDIR ?=
# Where the programs are that it installs.
BUILT ?= target/release

.DEFAULT_GOAL := help
.PHONY: help run-server run-client build test bench soak check clean install uninstall cargo

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
		RUST_TEST_THREADS="$${RUST_TEST_THREADS:-12}" $(CARGO) test --locked && \
		echo "All tests have passed in $$(($$(date +%s) - begun)) s."

bench: build ## Measure what the server moves on this machine
	@exec ./target/release/bench $(ARGS)

# One at a time, as these tests measure times.
soak: cargo ## Run the tests that take long or measure times
	@ulimit -n "$$(ulimit -H -n)" 2>/dev/null || true; \
		RUST_TEST_THREADS=1 $(CARGO) test --locked --release --test it -- --ignored

check: cargo ## Everything that must hold before a change lands
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(MAKE) test
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

clean: cargo ## Remove what was built
	@$(CARGO) clean

# Installs both programs, or neither.
define INSTALL
set -eu
new=
# Removes everything new and names the obstacle.
fail() {
	printf '%s' "$$new" | while IFS= read -r entry; do rm -f "$$entry" 2>/dev/null || rmdir "$$entry"; done
	echo "cannot install into $$1: give a PREFIX that you can write to, or become root" >&2
	exit 1
}
note() {
	new="$$1
$$new"
}
folder() {
	[ -d "$$1" ] && return
	folder "$$(dirname "$$1")"
	mkdir "$$1" 2>/dev/null || fail "$$1"
	note "$$1"
}
# Copies a program beside its place. The renames follow only when every copy is complete.
put() {
	[ ! -d "$$2" ] || fail "$$2"
	note "$$2.new"
	cp "$$1" "$$2.new" 2>/dev/null && chmod 755 "$$2.new" || fail "$$2"
}
bin="$$DESTDIR$$PREFIX/bin"
folder "$$bin"
put "$$BUILT/server" "$$bin/parley-server"
put "$$BUILT/client" "$$bin/parley"
for program in parley-server parley; do mv -f "$$bin/$$program.new" "$$bin/$$program"; done
endef
export INSTALL PREFIX DESTDIR BUILT

# Root often has no cargo; what 'make build' has built is enough then.
HAS_CARGO := $(shell command -v $(CARGO) 2>/dev/null)
IS_BUILT := $(and $(wildcard $(BUILT)/server),$(wildcard $(BUILT)/client))
MUST_BUILD := $(if $(filter target/release,$(BUILT)),$(if $(HAS_CARGO),build,$(if $(IS_BUILT),,build)))

install: $(MUST_BUILD) ## Install both programs in PREFIX/bin
	@sh -c "$$INSTALL"

uninstall: ## Remove what 'make install' with the same PREFIX has installed
	@rm -f "$$DESTDIR$$PREFIX/bin/parley-server" "$$DESTDIR$$PREFIX/bin/parley"

cargo:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
		echo "Parley needs Rust's cargo, which is not installed: get it from https://rustup.rs or from your system's packages." >&2; \
		exit 1; }
