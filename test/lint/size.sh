#!/bin/bash
# No file over 800 lines, no C function over 60. A function's body starts and ends with a brace in the first column.

find src sql/install client python tables scripts test bench -type f \
    \( -name '*.c' -o -name '*.h' -o -name '*.sql' -o -name '*.tcl' -o -name '*.py' -o -name '*.pl' -o -name '*.pm' -o -name '*.sh' -o -name '*.spec' \) \
    -exec wc -l {} \; 2>/dev/null | awk '$1 > 800 { print $2 ": " $1 " lines; 800 is the limit" }'

for file in src/*.c src/*/*.c; do
    [ -f "$file" ] || continue
    awk -v file="$file" '
        /^\{/ { start = FNR }
        /^[a-z].*\(/ { name = $0; sub(/ *\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\}/ && start { if (FNR - start - 1 > 60) print file ":" start ": " name "() has " FNR - start - 1 " lines; 60 is the limit"; start = 0 }
    ' "$file"
done
