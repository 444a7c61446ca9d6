# Callboard: what a newcomer runs. Everything but `bench` uses one dev profile.

VENV := .venv
PYTHON := $(VENV)/bin/python

RUNS ?= 1000000

.PHONY: demo test torture fuzz check fmt bench python kafka clean

demo: ## A recorded shift, replayed in your browser: http://127.0.0.1:8080
	cargo build --workspace --all-targets
	$${CARGO_TARGET_DIR:-target}/debug/callboard demo $(ARGS)

test: python kafka ## All tests; needs chromium, chromium-driver, postgresql-client, python3-venv, strace, maven, openjdk-17-jre-headless
	cargo build --workspace --all-targets
	CALLBOARD_PYTHON=$(abspath $(PYTHON)) cargo test --workspace --no-fail-fast --lib --bins --tests

torture: python ## Hours of kills and seeds against the simulator's truth: docs/reliability.md
	cargo build --workspace --all-targets
	cargo test --workspace --no-fail-fast --lib -- crash_tests fault_tests
	CALLBOARD_HISTORIES=10000 CALLBOARD_DELTA_HISTORIES=200 \
		cargo test --workspace --no-fail-fast --test fire -- --nocapture --test-threads 1
	CALLBOARD_STEPS=all CALLBOARD_STEPS_BESIDE=all CALLBOARD_PACE_MS=120 CALLBOARD_FOLDERS=50 CALLBOARD_KILLS_OF_A_FOLDER=20 CALLBOARD_KILLS=50 CALLBOARD_REBUILDS=8 CALLBOARD_SEEDS=200 CALLBOARD_CONTACTS=1000 \
		cargo test --workspace --no-fail-fast --test it -- --nocapture --test-threads 1 it_dies crash:: mended:: an_erasure_that_was_killed in_disorder_and_with_poison
	CALLBOARD_FAULT_SEEDS=20 CALLBOARD_FLIPS=300 CALLBOARD_CONTACTS=10000 CALLBOARD_EVENTS_OF_A_CONTACT=1000000 CALLBOARD_PATIENCE_S=900 \
		cargo test --workspace --no-fail-fast --test it -- --nocapture --test-threads 1 faults:: synced:: rot:: doctor:: clocks:: strangers:: stalls:: retention:: scenes:: huge:: one_line_in_ten a_recording_that_takes

fuzz: ## Every parser on damaged captures: docs/reliability.md. RUNS=1000000 of each, ONLY=teams SEED=77
	cargo run --profile fuzz -p callboard-sources --example fuzz -- --runs $(RUNS) \
		$(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

check: ## Formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

python: $(VENV)/ready

$(VENV)/ready: tests/readers/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

kafka: .kafka/ready ## The broker that tests start: jars, 54 MB; needs maven and a Java 17 or newer

.kafka/ready: tests/kafka/pom.xml
	mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath .kafka/libs)
	touch $@

bench: $(VENV)/bench ## Figures beside peers, release build: docs/performance.md. ARGS="--quick" is a short look
	cargo build --release --workspace
	cargo build --release --workspace --example throughput
	cargo build --release --manifest-path tests/bench/decoders/Cargo.toml --target-dir $${CARGO_TARGET_DIR:-target}/decoders
	cargo build --workspace --all-targets
	$(PYTHON) tests/bench/run.py --bin $${CARGO_TARGET_DIR:-target}/release/callboard \
		--wer $${CARGO_TARGET_DIR:-target}/debug/examples/wer $(ARGS)

$(VENV)/bench: tests/bench/requirements.txt $(VENV)/ready
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
