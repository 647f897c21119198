#!/bin/bash
# Every shell script is valid bash, and those that are run by name may be executed. Executors are for any sh; ssh_remote, which another host reads, too.

for file in scripts/* .ci/* test/lint/*.sh bench/* executors/*; do
    [ -f "$file" ] || continue
    head -n 1 "$file" | grep -qE '^#!.*\b(ba)?sh$' || case $file in *.sh) ;; *) continue ;; esac
    bash -n "$file" 2>&1
    case $file in *.sh) continue ;; esac
    [ -x "$file" ] || echo "$file: is not executable"
done
