#!/bin/bash
# No file calls into a circle: what a file needs never needs that file in turn. Read from the object files, which name what
# they define and what they ask for; a header that declares much says nothing of who calls whom.

objects=$(find src -name '*.o' -not -path 'src/runner/*')
runner=$(find src/runner -name '*.o')
if [ -z "$objects" ] || [ -z "$runner" ]; then
    echo "src: no object files; run make first"
    exit 1
fi

# ask_for OBJECTS: "ASKER DEFINER", a line a pair
ask_for() {
    awk '
        FNR == 1 { turn++ }
        turn == 1 { where[$2] = $1 }
        turn == 2 && ($2 in where) && where[$2] != $1 { print $1, where[$2] }
    ' <(names --defined-only "$@") <(names --undefined-only "$@") | sort -u
}

names() { nm -g -A "$@" | sed -E 's/\.o:/.c /' | awk '{ print $1, $NF }'; }

# tsort names those of each circle, one after the other
for program in "$objects" "$runner"; do
    ask_for $program | LC_ALL=C tsort 2>&1 >/dev/null | sed -nE 's/^tsort: (src.*)/\1: is part of a circle/p'
done
