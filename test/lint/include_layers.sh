#!/bin/bash
# A file of src/ includes headers of lower layers only, its own, and the server's; the runner shares protocol.h alone.
# In layer 2 the pure parts, which know no database, lie below the rest.

layer() {
    case $1 in
        josch.c) echo 7 ;;
        josch.h) echo 0 ;;
        clock.* | report.* | shared.*) echo 1 ;;
        command.* | command_* | dag.* | dag_* | fsm.* | fsm_*.h | protocol.* | value.*) echo 2.1 ;;
        config.* | encoding.* | load_source.* | mode.* | notify.* | spi_plan.* | wake.*) echo 2.2 ;;
        store.h | store_*) echo 3 ;;
        audit.* | calendar.* | day.* | load_batch.* | plan.*) echo 4 ;;
        engine.* | engine_* | runner_client.* | runner_client_* | sql_worker.* | sql_worker_*) echo 5 ;;
        api.h | api_* | launcher.* | scheduler.* | scheduler_* | trigger.h | trigger_* | utility.*) echo 6 ;;
    esac
}

# the family of a file: fsm.h may include fsm_states.h, and plan_day.c plan.h
family() { echo "${1%.*}"; }

for file in src/*.c src/*.h; do
    [ -f "$file" ] || continue
    name=$(basename "$file")
    own=$(layer "$name")
    if [ -z "$own" ]; then
        echo "$file: has no layer; give it one in test/lint/include_layers.sh"
        continue
    fi
    while IFS=: read -r line header; do
        [ -f "src/$header" ] || continue
        its=$(layer "$header")
        [[ "${its:-9}" < "$own" ]] && continue
        # its own header, or that of its family
        case "$(family "$name")" in
            "$(family "$header")" | "$(family "$header")"_*) continue ;;
        esac
        case "$(family "$header")" in
            "$(family "$name")"_*) continue ;;
        esac
        echo "$file:$line: a file of layer $own includes \"$header\" of layer ${its:-?}"
    done < <(sed -nE 's/^#include "([^"]+)".*/\1/;T;=;p' "$file" | paste -d: - -)
done

for file in src/runner/*.c src/runner/*.h; do
    [ -f "$file" ] || continue
    while IFS=: read -r line header; do
        [ -f "src/runner/$header" ] || [ "${header##*/}" = protocol.h ] ||
            echo "$file:$line: the runner includes \"$header\"; it shares nothing but protocol.h"
    done < <(sed -nE 's/^#include "([^"]+)".*/\1/;T;=;p' "$file" | paste -d: - -)
done
