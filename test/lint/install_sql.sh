#!/bin/bash
# The install script qualifies what it creates, replaces nothing, comments on each function, view and table, means the same
# whatever the session's settings are, and looks nothing up but in pg_catalog.

first=$(cat sql/install/*.sql | sed -e 's#/\*.*\*/##' -e '/^\/\*/,/\*\/$/d' -e '/^\\echo /d' -e '/^ *$/d' | head -n 1)
[ "$first" = 'SET LOCAL search_path = pg_catalog, pg_temp;' ] || echo "sql/install: the first statement does not pin search_path, but is: $first"
for file in sql/install/*.sql; do
    [ -f "$file" ] || continue
    grep -nE '\\' "$file" | grep -v ':\\echo ' | sed "s#^\([0-9]*\):.*#$file:\1: has a backslash, which standard_conforming_strings reads in two ways#"
    LC_ALL=C grep -nE '[^ -~	]' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: is not plain ASCII, and the database may have any encoding#"
    grep -nE '^[[:space:]]*(SET|RESET) ' "$file" | grep -vE 'SET search_path = pg_catalog, pg_temp|SET (datestyle|intervalstyle) = |SET LOCAL search_path = pg_catalog, pg_temp;' |
        sed "s#^\([0-9]*\):.*#$file:\1: changes a setting#"
    grep -nE '^[[:space:]]*CREATE OR REPLACE ' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: replaces; the install script creates everything once#"
    grep -nE '^CREATE (UNLOGGED )?(TABLE|VIEW|FUNCTION|PROCEDURE|TYPE|DOMAIN|SEQUENCE|AGGREGATE) ' "$file" | grep -vE ' josch\.' |
        sed "s#^\([0-9]*\):.*#$file:\1: creates an object without naming its schema#"
    sed -nE 's/^CREATE (UNLOGGED )?(TABLE|VIEW|FUNCTION|PROCEDURE) (josch\.[a-z_0-9]+).*/\2 \3/p' "$file" | sort -u |
        while read -r kind name; do
            grep -qE "^COMMENT ON $kind ${name//./\\.}[ (]|^COMMENT ON $kind ${name//./\\.}\$" "$file" || echo "$file: no COMMENT ON $kind $name"
        done
done
