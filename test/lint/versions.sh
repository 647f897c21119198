#!/bin/bash
# What compiles on one version of PostgreSQL only stays in josch.h: words that newer servers dropped, and version numbers.

for file in src/*.c src/*.h; do
    [ -f "$file" ] && [ "$file" != src/josch.h ] || continue
    grep -nE 'pg_attribute_noreturn' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: pg_attribute_noreturn() is gone since 18; write pg_noreturn before the declaration#"
done
