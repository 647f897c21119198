#!/bin/bash
# Only clock.c asks for the time or waits; SQL asks josch.now(). The runner is a program of its own, with its own clock.

calls='GetCurrentTimestamp|GetCurrentIntegerTimestamp|GetCurrentTransactionStartTimestamp|GetCurrentStatementStartTimestamp'
calls+='|GetSQLCurrentTimestamp|WaitLatch|WaitLatchOrSocket|WaitEventSetWait|pg_usleep|gettimeofday|clock_gettime|time'
comments='s#/\*.*\*/##; /\/\*/,/\*\//s/.*//' # blanked, so that the line numbers stay

for file in src/*.c src/*/*.[ch]; do
    [ -f "$file" ] || continue
    case $file in src/base/clock.* | src/runner/*) continue ;; esac
    sed "$comments" "$file" | grep -nE "(^|[^A-Za-z0-9_])($calls) ?\(" |
        sed "s#^\([0-9]*\):.*#$file:\1: asks for the time or waits; clock.c does that#"
done

for file in sql/install/*.sql src/*/store_*.c; do
    [ -f "$file" ] || continue
    sed "s/--.*//; s/'[^']*'//g" "$file" |
        grep -niE "(^|[^A-Za-z0-9_.])(now|pg_catalog\.now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday) ?\(|current_(date|timestamp|time)([^a-z_]|$)|localtime" |
        grep -viE 'josch\.now' | sed "s#^\([0-9]*\):.*#$file:\1: asks the server for the time; josch.now() and josch.today() do that#"
done
