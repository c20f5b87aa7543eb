# The commands of this repository. `make help` lists them.

RACE = $(shell command -v gcc >/dev/null 2>&1 && echo -race)

# The tag leaves out what pgx needs where a statement's types aren't described; here all are. Tests run with it as well: without it they'd hide a statement that isn't.
TAGS = -tags nopgxregisterdefaulttypes

.PHONY: help test check bench bench-server bench-revocation demo format tidy fuzz build man

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

test: ## every test, with the race detector
	@.ci/prepare
	@$(MAKE) --no-print-directory run-tests

# The tests of interop build and run the command, which the test cache can't see: they always run.
.PHONY: run-tests
run-tests:
	go test $(RACE) $(TAGS) -timeout 45m ./... ./server/...
	go test $(RACE) $(TAGS) -timeout 45m -count=1 ./interop/...

check: ## all that CI checks
	CI=true .ci/run

bench: ## the README's table: jot, its peers and the bare primitives (some minutes)
	go run ./interop/bench -write README.md

bench-server: build ## docs/benchmarks.md: the built command under load, on SQLite and on PostgreSQL (some minutes)
	go run ./interop/load -binary bin/jot -write docs/benchmarks.md

bench-revocation: build ## docs/revocation.md: checks, memory, snapshots, and the feed under a thousand connections (some minutes)
	go run ./interop/revocation -binary bin/jot -write docs/revocation.md

demo: ## a token's whole life, played against a real server
	go run ./server/cmd/jot demo

build: ## the command, stripped, in bin/
	go build -trimpath $(TAGS) -ldflags '-s -w' -o bin/jot ./server/cmd/jot

man: ## the manual pages, in bin/man/
	go run ./server/cmd/jot man --out bin/man

format: ## gofmt everything
	gofmt -w $$(git ls-files '*.go')

tidy: ## go mod tidy for all three modules
	.ci/tidy --write

fuzz: ## each fuzz target for a minute
	.ci/fuzz 1m
