#!/bin/bash
# The client's Tcl has one habit: no line over 128 columns, no proc or method over 40 lines, names from the root (::), and two
# spaces nowhere between sentences.

for file in client/josch client/lib/*/*.tcl; do
    awk -v file="$file" '
        length($0) > 128 { print file ":" FNR ": " length($0) " columns; 128 is the limit" }
        /^(namespace eval|proc|oo::class create|oo::define) [^:]/ { print file ":" FNR ": a name without leading ::" }
        /^ *#.*[a-z][.;]  [A-Z]/ { print file ":" FNR ": two spaces after a sentence" }
        /^ *(proc|method|constructor) .*\{$/ { start = FNR; name = $2; match($0, /^ */); indent = RLENGTH }
        start && /^ *\}$/ && match($0, /^ */) && RLENGTH == indent {
            if (FNR - start + 1 > 40) print file ":" start ": " name " has " FNR - start + 1 " lines; 40 is the limit"
            start = 0
        }' "$file"
done
