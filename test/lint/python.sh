#!/bin/bash
# Every Python file is valid, and imports nothing but the standard library and its neighbours. The script of
# test/golden/ asks others for their opinion, and no test runs it. The package in python/ knows psycopg, its tests know both.

python=/usr/bin/python3
[ -x $python ] || python=python3
find . -name '*.py' -not -path './.git/*' -print0 | xargs -0 -r $python -B -c '
import ast, os, sys

allowed = {"./python/": {"psycopg", "typing_extensions"}, "./test/python/": {"psycopg", "josch"}}

for path in sys.argv[1:]:
    try:
        tree = ast.parse(open(path, encoding="utf-8").read(), path)
    except SyntaxError as error:
        print(f"{path}:{error.lineno}: {error.msg}")
        continue
    known = sys.stdlib_module_names | next((names for folder, names in allowed.items() if path.startswith(folder)), set())
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            name = (name or "").split(".")[0]
            if not path.startswith("./test/golden/") and not os.path.exists(os.path.join(os.path.dirname(path), name + ".py")) and name not in known:
                print(f"{path}:{node.lineno}: imports {name}, which is not in the standard library")
'
