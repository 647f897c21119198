#!/bin/bash
# Nothing in the tree is marked as unfinished.

grep -rnIE '\b(TODO|FIXME|XXX|HACK)\b|\b[Ff]or now\b|\b[Ss]implified\b|\b[Nn]ot (yet )?implemented\b|\b[Ss]tub(bed)?\b' \
    --include='*.c' --include='*.h' --include='*.sql' --include='*.md' --include='*.py' --include='*.pl' --include='*.pm' \
    --include='*.tcl' --include='*.sh' --include='*.spec' --include=Makefile --include=check --include=demo . |
    grep -vE '^\./(\.git/|test/lint/words\.sh:)' | sed -E 's#^\./([^:]*:[0-9]+):(.*)#\1: is marked as unfinished: \2#'
