#!/bin/bash
# A file of src/ includes headers of its own folder and of those on lower floors; the runner knows nothing but itself and wire.
# Within a folder no header is a door's: what SQL calls (api_, trigger_) is called by nobody else.

# from the ground up; folders on one line know nothing of each other
floors='
base wire
graph node audit keep page
calendar
template day alarm
run import
outlook
server
runner
'
# roles that have no header, since nobody may call them
doors='api_ trigger_'

floor_of() { grep -nw -- "$1" <<<"$floors" | cut -d: -f1; }

for file in src/*/*.[ch]; do
    room=$(basename "$(dirname "$file")")
    own=$(floor_of "$room")
    [ -n "$own" ] || echo "$file: its folder has no floor; give it one in test/lint/include_layers.sh"
    for door in $doors; do
        [[ $(basename "$file") != "$door"*.h ]] || echo "$file: a door has no header"
    done
    while IFS=: read -r line header; do
        [ -f "src/$header" ] || continue
        other=$(dirname "$header")
        [ "$other" != "$room" ] || continue
        case $room in runner) [ "$other" = wire ] && continue ;; *) [ "$(floor_of "$other")" -lt "${own:-0}" ] && continue ;; esac
        echo "$file:$line: a file of $room includes \"$header\", which is not below it"
    done < <(sed -nE 's/^#include "([^"]+)".*/\1/;T;=;p' "$file" | paste -d: - -)
done
