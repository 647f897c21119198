#!/bin/bash
# The settings stand in alphabetical order in each function of config.c, and README.md has a table of exactly these.

sources=src/base/config.c
[ -f $sources ] || exit 0

awk '
    /^[a-z_]+\(/ { last = "" }
    match($0, /DefineCustom[A-Za-z]+Variable\("josch\.[a-z_]+"/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/.*\("/, "", name); sub(/"$/, "", name)
        if (name < last) print FILENAME ":" FNR ": " name " stands after " last "; the order is alphabetical"
        last = name
    }' $sources

settings() { grep -ohE 'DefineCustom[A-Za-z]+Variable\("josch\.[a-z_]+"' $sources | sed 's/.*("//; s/"$//' | sort; }
table() { sed -n '/^| setting |/,/^$/p' README.md | sed -nE 's/^\| *`(josch\.[a-z_]+)`.*/\1/p'; }

if [ -f README.md ]; then
    table | sort -c 2>/dev/null || echo "README.md: the table of settings is not in alphabetical order"
    comm -23 <(settings) <(table | sort) | sed 's/.*/README.md: the table of settings lacks &/'
    comm -13 <(settings) <(table | sort) | sed "s#.*#README.md: the table of settings has &, which $sources does not define#"
fi
