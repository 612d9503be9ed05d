# SPDX-License-Identifier: Apache-2.0
# `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SWIFT_BUILD = swift build --explicit-target-dependency-import-check error
RELAIS = .build/debug/relais
DEMO_DATA ?= $(if $(filter 0,$(shell id -u)),/var/lib/relais-demo,$(HOME)/.local/share/relais-demo)
DEMO_LISTEN ?= 127.0.0.1:8080
VENV = .venv
PACKAGES = libpq-dev libxml2-dev libpcre2-dev libarchive-dev libcurl4-openssl-dev libical-dev poppler-utils pkg-config postgresql postgresql-contrib python3-venv
PEERS = openssh-server nginx-light libnginx-mod-http-dav-ext proftpd-core proftpd-mod-crypto openssl curl python3-aiosmtpd dovecot-imapd systemd chromium chromium-driver litmus
# Each where its own versions of the same libraries do not meet another's; of axe only its script is used, not the
# browsers that it would bring.
PYTHON_PEERS = $(VENV):moto[s3,server] $(VENV):oidc-provider-mock==0.3.4 $(VENV):axe-playwright-python==0.1.8 $(VENV)-taps:tap-spreadsheets $(VENV)-schema:schemathesis==4.32.5 $(VENV)-dav:vdirsyncer==0.21.0 $(VENV)-dav:caldav==3.6.0 $(VENV)-dav:caldav-server-tester==1.7.0 $(VENV)-dav:vobject==0.9.9
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

# Debian's postgresql package makes and starts a cluster of its own unless it is told not to; other servers start too,
# which the policy forbids while they are installed, and at the next boot, which only systemd can be told.
bootstrap: ## install what Debian and Python packages are missing
	@missing=""; for package in $(PACKAGES) $(WANTED); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then \
	    $(SUDO) mkdir -p /etc/postgresql-common; \
	    echo 'create_main_cluster = false' | $(SUDO) tee /etc/postgresql-common/createcluster.conf > /dev/null; \
	  fi; \
	  policy=/usr/sbin/policy-rc.d; ours=0; \
	  if [ ! -e $$policy ]; then printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $$policy > /dev/null; $(SUDO) chmod 755 $$policy; ours=1; fi; \
	  trap "if [ $$ours = 1 ]; then $(SUDO) rm -f $$policy; fi" EXIT; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	  for service in openssh-server:ssh nginx-light:nginx proftpd-core:proftpd dovecot-core:dovecot; do \
	    case " $$missing " in *" $${service%:*} "*) \
	      if [ -d /run/systemd/system ]; then $(SUDO) systemctl disable -q $${service#*:} || true; fi;; \
	    esac; \
	  done; \
	fi; \
	for entry in $(PYTHON_WANTED); do \
	  venv=$${entry%%:*}; package=$${entry#*:}; \
	  test -x $$venv/bin/python || python3 -m venv $$venv; \
	  name=$${package%%[*}; name=$${name%%=*}; alone=""; \
	  if [ $$name = axe-playwright-python ]; then alone=--no-deps; fi; \
	  $$venv/bin/pip --disable-pip-version-check -q show $$name > /dev/null 2>&1 \
	    || $$venv/bin/pip --disable-pip-version-check install -q $$alone "$$package"; \
	done

build: bootstrap ## build the command
	$(SWIFT_BUILD) --product relais

# The folder is the demo's own once it has a mark in it: only then is it begun anew.
demo: build ## import, mend and undo the samples in a private database, then open the console (DEMO_CONSOLE=no leaves it out)
	@if [ -e $(DEMO_DATA)/.demo ]; then $(RELAIS) db stop --data $(DEMO_DATA) > /dev/null; rm -rf $(DEMO_DATA); fi
	@cd Connectors/ERP/Samples; RELAIS=../../../$(RELAIS); \
	show() { echo; echo "$$ relais $$*"; $$RELAIS "$$@" --data $(DEMO_DATA) || [ $$? -eq 3 ]; }; \
	show preview factures/facture-nouveau-client.xml; touch $(DEMO_DATA)/.demo; \
	show import comptes.csv factures/*.xml; \
	show import comptes.csv factures/*.xml; \
	show quarantine; \
	show quarantine set 2 gross_total=1800; \
	show quarantine replay 2; \
	show runs undo 3; \
	show runs; \
	show accounts; \
	show sales list
	@printf 'quatre mots bien choisis' | $(RELAIS) users add ines --name "Inès Vauquelin" --role it --admin --sees-clients --password-stdin --data $(DEMO_DATA)
	@printf 'quatre mots bien choisis' | $(RELAIS) users add hugo --name "Hugo Tessandier" --role rep --team Vivarais --password-stdin --data $(DEMO_DATA)
	@if [ "$(DEMO_CONSOLE)" = no ]; then exit 0; fi; \
	echo; echo "La console : http://$(DEMO_LISTEN)"; \
	echo "  identifiant ines (informatique, administratrice) ou hugo (commercial), mot de passe : quatre mots bien choisis"; \
	echo "  à essayer : /quarantine, /accounts/1, /imports/new avec Connectors/ERP/Samples/comptes.csv"; \
	echo "  Ctrl-C l'arrête ; la base s'arrête par : $(RELAIS) db stop --data $(DEMO_DATA)"; echo; \
	exec $(RELAIS) serve --data $(DEMO_DATA) --listen $(DEMO_LISTEN)

lint: ## check the layout of the code
	swift format lint --strict --recursive Sources Connectors Tests Package.swift

# Leases, killed processes and full disks are about time: they run without the crowd of other tests. The imports that
# are killed keep the machine busy for minutes: by themselves, they disturb no other test.
TIMED = BadDayTests|JobsTests|FlowTests|OutgoingTests|RetentionTests|ServeTests|WebTests|EverydayTests
# Ten thousand connections leave little for others.
SIEGE = SiegeTests
# Browsers and clients of other makers take both cores.
BROWSER = ConsoleTests|IntrusionTests|APITests|DAVPeerTests
define tests
$(1) swift test --skip-build --skip 'EngineKillTests|$(TIMED)|$(BROWSER)|$(SIEGE)'
$(1) swift test --skip-build --filter '$(TIMED)'
$(1) swift test --skip-build --filter '$(BROWSER)'
$(1) swift test --skip-build --filter '$(SIEGE)'
$(1) swift test --skip-build --filter EngineKillTests
endef

test soak: WANTED = $(PEERS)
test soak: PYTHON_WANTED = $(PYTHON_PEERS)
test: bootstrap lint ## lint, build with import check, run every test
	$(SWIFT_BUILD) --build-tests
	$(call tests,)

soak: bootstrap ## the tests with full kill and fuzz counts
	$(SWIFT_BUILD) --build-tests
	$(call tests,RELAIS_SOAK=1)

# Coverage of Relais' own modules only; the corpus starts from the golden samples.
FUZZ_SECONDS ?= 600
fuzz: bootstrap ## search for input that crashes a reader (FUZZ_SECONDS, 600 by default)
	rm -f .build-fuzz/*.yaml .build-fuzz/build.db .build-fuzz/*/release/description.json
	RELAIS_FUZZ=1 swift build -c release --scratch-path .build-fuzz --product relais-fuzz \
	  -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld
	mkdir -p .build-fuzz/corpus
	n=20; for file in Mappings/*/tests/*.xml Mappings/*/tests/*.csv Mappings/*/tests/*.txt Mappings/*/*.yaml Tests/Fuzz/Seeds/*; do \
	  case $$file in *.yaml) lead=1;; *.ics|*.vcf) lead=16;; *) lead=$$n; n=$$((n + 1));; esac; \
	  { printf "\\$$(printf %03o $$lead)"; cat $$file; } > .build-fuzz/corpus/$$(basename $$file); \
	done
	SWIFT_BACKTRACE=enable=no .build-fuzz/release/relais-fuzz -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=20 \
	  -artifact_prefix=.build-fuzz/ .build-fuzz/corpus

format: ## lay the code out
	swift format format --in-place --recursive Sources Connectors Tests Package.swift

bench: bootstrap ## measure against peers, in the same run (ONLY=database, import, queue, web, xml, csv, mapping, stream or attacks)
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/python -c 'import duckdb, dlt, pyarrow, psycopg2, pgqueuer, asyncpg' 2>/dev/null || $(VENV)/bin/pip install --quiet duckdb 'dlt[postgres]' pyarrow 'pgqueuer[asyncpg]'
	swift build -c release --product relais-bench
	swift build -c release --product relais
	.build/release/relais-bench $(VENV)/bin/python $(ONLY)

.PHONY: help bootstrap build demo lint test soak fuzz format bench
