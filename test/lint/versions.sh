#!/bin/bash
# What newer versions of PostgreSQL dropped is not used: josch.h has a word for all versions.

for file in src/*.c src/*/*.[ch]; do
    [ -f "$file" ] && [ "$file" != src/base/josch.h ] || continue
    grep -nE 'pg_attribute_noreturn' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: pg_attribute_noreturn() is gone since 18; write pg_noreturn before the declaration#"
done
