# test/python/run.py FOLDER [TEST]...
#
# The programs of doc/python.md, run in their order on the server that PG* names, in FOLDER, each with the output that is printed
# below it; then the tests of package_test.py. Prints "ok NAME" or "not ok NAME" for each of the tests (all, when none is named), and
# below the latter what was wrong. --list prints their names.
#
# A program of the page needs those before it: they are run too, and are judged only when they are wanted.

import difflib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds for a program, and for the server to have done what it left to do

sys.path.insert(0, str(pathlib.Path(__file__).parent))


def programs():
    """Of the page: name, text, printed output."""
    page = (TOP / "doc/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```\n(?:```output\n(.*?)^```\n)?", page, re.M | re.S)
    for text, output in blocks:
        name = re.match(r"# (\w+)\.py: ", text)
        if name is None:
            sys.exit(f"doc/python.md: a program without a name in its first line: {text.splitlines()[0]}")
        yield name[1], text, output


def tests():
    import package_test
    return {name.removeprefix("test_"): test for name, test in vars(package_test).items() if name.startswith("test_")}


def wait_until_quiet():
    """Until the scheduler has nothing to start and nothing runs."""
    import psycopg
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(autocommit=True) as connection:
        while connection.execute("""SELECT FROM pg_extension WHERE extname = 'josch'""").fetchone() and connection.execute(
                """SELECT FROM josch.nodes WHERE state IN ('ready', 'running') AND coalesce(due_at, '-infinity') <= josch.now()
                   UNION ALL SELECT FROM josch.runs WHERE ended_at IS NULL AND node_type <> 'L'""").fetchone():
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)  # there is no notification of nothing


def difference(expected, got):
    return "".join(difflib.unified_diff(expected.splitlines(True), got.splitlines(True), "printed on the page", "what came"))


def run_program(folder, name, text, output):
    """What is wrong with it; nothing when all is well."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    if name == "count":
        return ""  # the program of a node, which deploy.py makes
    done = subprocess.run([sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", path.name], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    wait_until_quiet()
    if done.returncode or done.stderr:
        return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return difference(output, done.stdout.replace(f"{folder.resolve()}/", ""))


def too_long(*_):
    raise TimeoutError(f"it takes longer than {PATIENCE} s")


def run_test(test):
    import psycopg
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        with psycopg.connect(autocommit=True) as connection:
            test(connection)
    except Exception:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return ""


def told(name, wrong):
    print("not ok" if wrong else "ok", name, flush=True)
    print("".join(f"    {line}\n" for line in wrong.splitlines()), end="", flush=True)


def main():
    page = list(programs())
    if sys.argv[1:] == ["--list"]:
        print(*(name for name, _, _ in page), *tests(), sep="\n")
        return
    folder, wanted = pathlib.Path(sys.argv[1]), set(sys.argv[2:]) or {name for name, _, _ in page} | tests().keys()
    os.symlink(TOP / "tables", folder / "tables")
    last = max((at for at, (name, _, _) in enumerate(page) if name in wanted), default=-1)
    for name, text, output in page[:last + 1]:
        wrong = run_program(folder, name, text, output)
        if name in wanted:
            told(name, wrong)
    for name, test in tests().items():
        if name in wanted:
            told(name, run_test(test))


main()
