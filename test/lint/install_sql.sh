#!/bin/bash
# The install script qualifies what it creates, replaces nothing, and comments on each function, view and table.

for file in sql/install/*.sql; do
    [ -f "$file" ] || continue
    grep -nE '^[[:space:]]*CREATE OR REPLACE ' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: replaces; the install script creates everything once#"
    grep -nE '^CREATE (UNLOGGED )?(TABLE|VIEW|FUNCTION|PROCEDURE|TYPE|DOMAIN|SEQUENCE|AGGREGATE) ' "$file" | grep -vE ' josch\.' |
        sed "s#^\([0-9]*\):.*#$file:\1: creates an object without naming its schema#"
    sed -nE 's/^CREATE (UNLOGGED )?(TABLE|VIEW|FUNCTION|PROCEDURE) (josch\.[a-z_0-9]+).*/\2 \3/p' "$file" | sort -u |
        while read -r kind name; do
            grep -qE "^COMMENT ON $kind ${name//./\\.}[ (]|^COMMENT ON $kind ${name//./\\.}\$" "$file" || echo "$file: no COMMENT ON $kind $name"
        done
done
