#!/bin/bash
# Every test has its expected output and every expected output its test; no test sleeps without a word why, or judges how fast
# something is: it waits until it sees what it waits for, and its patience is the limit.

for file in sql/*.sql; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .sql)
    [ -f "expected/$name.out" ] || echo "$file: has no expected/$name.out"
    case $name in *_*) ;; *) echo "$file: is not named ROOM_BEHAVIOUR.sql" ;; esac
    grep -E -m1 'CREATE EXTENSION|client_min_messages' "$file" | grep -q client_min_messages ||
        echo "$file: SET client_min_messages = warning before CREATE EXTENSION IF NOT EXISTS, so that it shows the same first and last"
    grep -nE 'pg_sleep' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: sleeps; move the clock by josch.tick(at) or josch.now#"
done
for file in expected/*.out; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .out)
    [ -f "sql/${name%_[0-9]}.sql" ] || [ -f "sql/$name.sql" ] || echo "$file: has no sql/$name.sql"
done
for file in test/isolation/specs/*.spec; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .spec)
    [ -f "test/isolation/expected/$name.out" ] || echo "$file: has no test/isolation/expected/$name.out"
    head -n 1 "$file" | grep -q '^#' || echo "$file: has no header that tells the bug it guards against"
done
for file in test/isolation/specs/*.spec; do
    grep -nE 'pg_sleep' "$file" | sed "s#^\([0-9]*\):.*#$file:\1: sleeps; let the other session's step show that it waits#"
done
for file in test/t/*.pl test/cluster/*.pl test/upgrade/*.pl test/perl/*.pm; do
    grep -nE '^\s*(Time::HiRes::)?u?sleep[ (]+[0-9$r]' "$file" | grep -v '#' |
        sed "s#^\([0-9]*\):.*#$file:\1: sleeps; wait until something is seen, or say beside it what nothing else can show#"
    grep -nE "cmp_ok\(.*\btime\b.*'<=?'|ok\(.*\btime\b[^,]*[^-=]<" "$file" |
        sed "s#^\([0-9]*\):.*#$file:\1: judges how fast something is; the patience of what waits is the limit#"
done
# of the client's tests only the hand (hand.tcl, driven.tcl) clicks and types, as it alone looks first
for file in client/test/*.test; do
    grep -nE 'xdotool .*\b(click|key|keydown|keyup|type|mousedown|mouseup)\b' "$file" | grep -v ';# ' |
        sed "s#^\([0-9]*\):.*#$file:\1: clicks or types without a look; press, strike, key and write look first, blindly says so#"
    grep -nE 'focus -force' "$file" | grep -v ';# ' |
        sed "s#^\([0-9]*\):.*#$file:\1: takes the keyboard by force; aim and key have it given by the screen#"
    grep -nE '\bafter [1-9][0-9]*\b|(^|[[ :])pause [0-9]|(exec|xdotool) .*\bsleep [0-9]' "$file" | grep -v 'guard::pause' | grep -v ';# ' |
        sed "s#^\([0-9]*\):.*#$file:\1: waits for a guessed time; wait, until and still wait for what is to be seen, or say beside it what cannot#"
done
