#!/bin/bash
# Each function of the install script sets its search_path, and says in the same file who may execute it.

# a function whose argument is a query of the caller's may leave the path to the program, and one that is asked a million times in a
# statement, or is called for every row that the engine changes, to C: what it runs sets the path itself
for file in sql/install/*.sql; do
    [ -f "$file" ] || continue
    python3 - "$file" <<'P'
import re, sys
file = sys.argv[1]
text = open(file).read()
def types(arguments):
    """the types of the arguments that a call names: "a text DEFAULT NULL, OUT b date" -> "text" """
    found = []
    for argument in filter(None, (a.strip() for a in arguments.split(','))):
        if not argument.startswith('OUT '):
            argument = re.sub(r'\s+DEFAULT\s.*', '', argument)
            found.append(argument.split(None, 1)[1])
    return ', '.join(found)
said = re.findall(r'^(?:REVOKE ALL|GRANT EXECUTE) ON FUNCTION [^;]*?\s(?:FROM|TO) PUBLIC;', text, re.M | re.S)
said = re.sub(r'\s+', ' ', ' '.join(said))
for match in re.finditer(r'^CREATE FUNCTION (josch\.\w+)\((.*?)\)\s*(?:RETURNS|\n).*?;\n', text, re.M | re.S):
    line = text.count('\n', 0, match.start()) + 1
    if 'SET search_path = pg_catalog, pg_temp' not in match.group(0) and match.group(2) != 'edges text' \
            and match.group(1) not in ('josch.is_open', 'josch.business_day', 'josch.is_readable_interval', 'josch.audit', 'josch.audit_guard',
                                       'josch.node_door', 'josch.node_propagate', 'josch.node_recount', 'josch.run_guard'):
        print(f'{file}:{line}: {match.group(1)}() does not set search_path = pg_catalog, pg_temp')
    signature = f'{match.group(1)}({types(re.sub(chr(10), " ", match.group(2)))})'
    if signature not in said:
        print(f'{file}:{line}: neither REVOKE ALL ... FROM PUBLIC nor GRANT EXECUTE ... TO PUBLIC for {signature}')
P
done
