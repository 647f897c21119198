#!/bin/bash
# The server has one namespace for all modules: every symbol that an object file exports starts with josch_. The
# runner is a program of its own.

objects=$(find src -name '*.o' -not -path 'src/runner/*')
if [ -z "$objects" ]; then
    echo "src: no object files; run make first"
    exit 1
fi
nm -g --defined-only -A $objects | awk '
    { sub(/\.o:.*/, ".c", $1); name = $NF }
    name !~ /^(josch_|pg_finfo_josch_|_PG_init$|_PG_fini$|Pg_magic_func$)/ { print $1 ": exports " name "; it should be static, or start with josch_" }'
