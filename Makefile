# where the sources lie: empty, or another folder (mkdir b && cd b && make -f ../Makefile VPATH=..)
TOP        := $(patsubst ./%,%,$(dir $(firstword $(MAKEFILE_LIST))))

EXTENSION   = josch
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(TOP)$(EXTENSION).control)
MODULE_big  = josch

# every C file of src/ is part of the module, but for src/runner/, which is a program of its own
RUNNER_SRCS = $(sort $(wildcard $(TOP)src/runner/*.c))
MODULE_SRCS = $(filter-out $(RUNNER_SRCS),$(sort $(wildcard $(TOP)src/*.c $(TOP)src/*/*.c)))
OBJS        = $(patsubst $(TOP)%.c,%.o,$(MODULE_SRCS))
PG_CPPFLAGS = -I$(TOP)src
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

SQL_PARTS   = $(sort $(wildcard $(TOP)sql/install/*.sql))
DATA        = $(wildcard $(TOP)sql/update/$(EXTENSION)--*.sql)
DATA_built  = $(EXTENSION)--$(EXTVERSION).sql

RUNNER      = josch-runner
RUNNER_OBJS = $(patsubst $(TOP)%.c,%.o,$(RUNNER_SRCS))

# a program each, with all of the runner but its main
UNIT_TESTS  = $(patsubst $(TOP)%.c,%,$(sort $(wildcard $(TOP)test/unit/*_test.c)))
UNIT_OBJS   = $(filter-out src/runner/main.o,$(RUNNER_OBJS)) test/unit/unit.o test/unit/past.o

# the tests, in the order of their names; each prepares what it needs. scripts/check runs them all
REGRESS     = $(patsubst $(TOP)sql/%.sql,%,$(sort $(wildcard $(TOP)sql/*.sql)))
ISOLATION   = $(patsubst $(TOP)test/isolation/specs/%.spec,%,$(sort $(wildcard $(TOP)test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(TOP)test/isolation
TAP_TESTS   = 1
PROVE_TESTS = $(TOP)test/t/*.pl

EXTRA_CLEAN = $(DATA_built) $(RUNNER) $(RUNNER_OBJS) $(UNIT_TESTS) test/unit/*.o results/ output_iso/ tmp_check/ log/

PG_CONFIG  ?= pg_config
PGXS       := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# after the include, which sets it anew
PROVE_FLAGS += -I $(TOP)test/perl

$(DATA_built): $(SQL_PARTS) $(TOP)$(EXTENSION).control
	cat $(SQL_PARTS) > $@

# what alone knows the version: the other files of two versions of the same source are the same
src/base/version.o src/base/version.bc: override CPPFLAGS += -DJOSCH_VERSION='"$(EXTVERSION)"'
src/base/version.o src/base/version.bc: $(TOP)$(EXTENSION).control

# headers are few: any change of one rebuilds all
$(OBJS): $(wildcard $(TOP)src/*/*.h)

# what is built elsewhere has no folders yet (as prerequisites they would be found in VPATH)
$(if $(TOP),$(shell mkdir -p $(sort $(dir $(OBJS) $(RUNNER_OBJS) $(UNIT_OBJS)))))

all: $(RUNNER)
install: install-runner
uninstall: uninstall-runner

# the runner is a plain program: no server header, no library of PostgreSQL
RUNNER_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -DJOSCH_VERSION='"$(EXTVERSION)"' -I$(TOP)src $(COPT)

# SANITIZER_LOG=PATH: a runner, and unit tests, that write what AddressSanitizer and the like find to PATH.PID
ifdef SANITIZER_LOG
SANITIZE      = -fsanitize=address,undefined -fno-sanitize-recover=undefined -static-libasan -static-libubsan
SANITIZER_OBJ = test/unit/sanitizer.o
endif

$(RUNNER_OBJS) $(SANITIZER_OBJ) $(filter test/%,$(UNIT_OBJS)) $(UNIT_TESTS:=.o): %.o: $(TOP)%.c $(wildcard $(TOP)src/runner/*.h $(TOP)src/wire/*.h $(TOP)test/unit/*.h)
	$(CC) $(RUNNER_CFLAGS) $(SANITIZE) -DSANITIZER_LOG='"$(SANITIZER_LOG)"' -c $< -o $@

src/runner/main.o src/runner/options.o src/runner/serve.o: $(TOP)$(EXTENSION).control

$(RUNNER): $(RUNNER_OBJS) $(SANITIZER_OBJ)
	$(CC) $(RUNNER_CFLAGS) $(SANITIZE) $(RUNNER_OBJS) $(SANITIZER_OBJ) -o $@

$(UNIT_TESTS): %: %.o $(UNIT_OBJS) $(SANITIZER_OBJ)
	$(CC) $(RUNNER_CFLAGS) $(SANITIZE) $< $(UNIT_OBJS) $(SANITIZER_OBJ) -o $@

.PHONY: unit
unit: $(UNIT_TESTS)

# what runs commands on other machines, and what the programs read
EXECUTORS      = $(addprefix $(TOP)executors/,slurm ssh kubernetes witness)
EXECUTORS_DATA = $(addprefix $(TOP)executors/,lib.sh ssh_remote)

.PHONY: install-runner uninstall-runner
install-runner: $(RUNNER)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)/josch/executors'
	$(INSTALL_PROGRAM) $(RUNNER) '$(DESTDIR)$(pkglibdir)/josch/$(RUNNER)'
	$(INSTALL_SCRIPT) $(EXECUTORS) '$(DESTDIR)$(pkglibdir)/josch/executors'
	$(INSTALL_DATA) $(EXECUTORS_DATA) '$(DESTDIR)$(pkglibdir)/josch/executors'

uninstall-runner:
	rm -rf '$(DESTDIR)$(pkglibdir)/josch/$(RUNNER)' '$(DESTDIR)$(pkglibdir)/josch/executors'

# for scripts: make -s print-REGRESS
print-%:
	@echo '$($*)'
