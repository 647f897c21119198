#!/bin/bash
# SQL text lives in store_*.c; audit.c alone may build its generic insert.

for file in src/*.c src/*/*.[ch]; do
    [ -f "$file" ] || continue
    case $file in */store_*.c | src/audit/audit.c | src/runner/*) continue ;; esac
    grep -nE '"[ \\nt]*(SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|WITH|CREATE|ALTER|DROP|TRUNCATE|COPY|CALL|LISTEN|LOCK TABLE|SAVEPOINT|SET LOCAL) [a-z$%]' "$file" |
        grep -vE 'err(hint|msg|detail)|^[0-9]+:\s*(/?\*|//)' |
        sed "s#^\([0-9]*\):.*#$file:\1: holds SQL text; it belongs in store_*.c#"
done
