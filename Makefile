# The front door of openbell; meson and ninja do the work behind it.  `make help` lists what there is.

PREFIX = /usr/local
FUZZ_SECONDS = 60
# Which tests: words that their names contain, as in `make check T="deploy lock"`.
T =

help_line = @printf '  %-16s %s\n'
packages = scripts/install-packages

# $(call build,FOLDER,MESON OPTIONS,TARGETS): configure FOLDER when that was not done or a test came or went, then build.
# Quiet unless something fails or V=1; on a terminal ninja keeps one line of progress.
define build
if ! test -e $(1)/build.ninja; then \
	log=$$(meson setup $(1) $(2) 2>&1) || { printf '%s\n' "$$log" >&2; exit 1; }; \
elif test tests/unit -nt $(1)/build.ninja || test tests/fuzz -nt $(1)/build.ninja; then \
	log=$$(meson setup --reconfigure $(1) 2>&1) || { printf '%s\n' "$$log" >&2; exit 1; }; \
fi; \
if test -n "$(V)"; then ninja -C $(1) --verbose $(3); \
elif test -t 1; then ninja -C $(1) $(3); \
else log=$$(ninja -C $(1) --quiet $(3) 2>&1) || { printf '%s\n' "$$log" >&2; exit 1; }; fi
endef

build_release = $(call build,build,,openbell)
build_asan = $(call build,build-asan,-Doptimization=1 -Db_sanitize=address$(comma)undefined \
	-Dtests=enabled,all)
# gcc's warnings are the ones that count; clang's are shown.  No clang, no fuzzing.
build_fuzz = command -v clang >/dev/null || exit 0; \
	$(call build,build-fuzz,-Doptimization=1 -Db_sanitize=address$(comma)undefined -Db_lundef=false \
	-Dfuzz=true -Dtests=disabled -Dwerror=false --native-file=tests/fuzz/clang.ini,all)
comma = ,

.PHONY: all help run check unit integration scenario fuzz asan bench soak install uninstall lint format docs clean

all:
	@$(packages) build
	@$(build_release)

help:
	@echo "make TARGET, for openbell; missing Debian packages are installed, with sudo when not root:"
	$(help_line) all "build/openbell (what make alone does)"
	$(help_line) run "bring the example fleet up: http://127.0.0.1:8080/ until Ctrl-C"
	$(help_line) check "every test; T=\"WORD...\" for those whose names contain a word"
	$(help_line) unit "the unit tests, under ASan and UBSan"
	$(help_line) integration "the parts against real servers"
	$(help_line) scenario "build/openbell as a person uses it"
	$(help_line) asan "unit, integration and scenario against a binary with ASan and UBSan"
	$(help_line) fuzz "each fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS))"
	$(help_line) bench "the figures that openbell must reach"
	$(help_line) soak "the long proof: random faults under load"
	$(help_line) install "into PREFIX ($(PREFIX)), with the systemd unit; DESTDIR is honoured"
	$(help_line) uninstall "what install brought; configuration, site and state stay"
	$(help_line) lint "scripts and formatting"
	$(help_line) format "the C files, with clang-format"
	$(help_line) docs "the list of files in docs/architecture.md"
	$(help_line) clean "remove all that was built"

# make runs openbell itself, with no shell between: Ctrl-C reaches it, make waits for it to take the fleet down, and its
# exit status is make's.
run: all
	@$(packages) run
	@build/openbell run --config examples/hello/openbell.yaml

check: FUZZ_SECONDS = 10
check:
	@$(packages) build run check
	@$(build_release)
	@$(build_asan)
	@$(build_fuzz)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run --match "$(T)" lint unit integration scenario fuzz

unit:
	@$(packages) build check
	@$(build_asan)
	@tests/run --match "$(T)" unit

integration scenario:
	@$(packages) build run check
	@$(build_release)
	@tests/run --match "$(T)" $@

asan:
	@$(packages) build run check
	@$(build_asan)
	@tests/run --match "$(T)" --openbell build-asan/openbell unit integration scenario

fuzz:
	@$(packages) build check
	@$(build_fuzz)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run --match "$(T)" fuzz

bench: all
	@$(packages) run bench
	@bench/run

soak: all
	@$(packages) run check
	@tests/soak

install: all
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install install

uninstall:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install uninstall

lint:
	@$(packages) check
	@tests/run --match "$(T)" lint

format:
	@clang-format -i $$(git ls-files --cached --others --exclude-standard '*.c' '*.h')

docs:
	@scripts/list-files

clean:
	@rm -rf build build-asan build-fuzz build-ci
