EXTENSION   = josch
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)
MODULE_big  = josch

# every C file of src/ is part of the module; src/runner/ is a program of its own
OBJS        = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src -DJOSCH_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

SQL_PARTS   = $(sort $(wildcard sql/install/*.sql))
DATA        = $(wildcard sql/update/$(EXTENSION)--*.sql)
DATA_built  = $(EXTENSION)--$(EXTVERSION).sql

RUNNER      = josch-runner
RUNNER_SRCS = $(sort $(wildcard src/runner/*.c))

# the tests, in the order of their names; each prepares what it needs. scripts/check runs them all
REGRESS     = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
ISOLATION   = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
TAP_TESTS   = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = $(DATA_built) $(RUNNER) results/ output_iso/ tmp_check/ log/

PG_CONFIG  ?= pg_config
PGXS       := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# after the include, which sets it anew
PROVE_FLAGS += -I test/perl

$(DATA_built): $(SQL_PARTS) $(EXTENSION).control
	cat $(SQL_PARTS) > $@

# headers are few: any change of one rebuilds all
$(OBJS): $(wildcard src/*.h)

all: $(RUNNER)
install: install-runner
uninstall: uninstall-runner

# the runner is a plain program: no server header, no library of PostgreSQL
$(RUNNER): $(RUNNER_SRCS) $(wildcard src/runner/*.h) src/protocol.h
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -DJOSCH_VERSION='"$(EXTVERSION)"' -Isrc $(COPT) $(RUNNER_SRCS) -o $@

.PHONY: install-runner uninstall-runner
install-runner: $(RUNNER)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)/josch'
	$(INSTALL_PROGRAM) $(RUNNER) '$(DESTDIR)$(pkglibdir)/josch/$(RUNNER)'

uninstall-runner:
	rm -f '$(DESTDIR)$(pkglibdir)/josch/$(RUNNER)'

# for scripts: make -s print-REGRESS
print-%:
	@echo '$($*)'
