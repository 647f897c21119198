#!/bin/bash
# Each mutant of test/mutants/ can be made: what it changes stands in its file, once.

python=/usr/bin/python3
[ -x $python ] || python=python3
$python -B scripts/mutate --lint 2>&1
