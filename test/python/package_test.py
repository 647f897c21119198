# The package josch: what the page does not show. Each test has a connection in autocommit mode, and jobs of its own.

import datetime
import importlib.metadata
import pathlib
import re
import warnings

import josch
import psycopg
from psycopg.rows import dict_row

TOP = pathlib.Path(__file__).resolve().parents[2]


def raised(kind, action, *arguments, **named):
    try:
        action(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def column(connection, job, name):
    return [value for value, in connection.execute(f"SELECT {name} FROM josch.tpl_nodes WHERE job_name = %s ORDER BY node_id", [job])]


def counts(loaded):
    return {row.table_name: tuple(row[1:]) for row in loaded}


def test_version(connection):
    version = importlib.metadata.version("josch")
    assert version.rpartition(".")[0] == connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'josch'").fetchone()[0], version
    assert f'"version": "{version}"' in (TOP / "META.json").read_text(), version


def test_load_prunes(connection):
    with josch.Job("Prune", "before", schedule_at="4:00", valid_to="2030-01-01", paused=True) as job:
        a = job.node("a", "true", retries=3, retry_on=["exit", "signal"], timeout=datetime.timedelta(hours=1), success_codes="{[0,0],[7,9]}")
        b = job.node("b", exec_sql="SELECT 1", owner="josch_viewer")
        a >> b
    with josch.Job("Beside") as beside:
        beside.node("c")
    josch.load(connection, job, beside)
    first = column(connection, "Prune", "node_id")
    assert column(connection, "Prune", "retry_on::text || timeout || success_codes::text")[0] == "{exit,signal}01:00:00{[0,1),[7,10)}"
    with josch.Job("Prune", "after") as job:
        d = job.node("d")
        b = job.node("b", exec_sql="SELECT 2")
        d >> b
    loaded = counts(josch.load(connection, job))
    assert loaded["tpl_nodes"] == (1, 1, 1) and loaded["tpl_node_deps"] == (1, 0, 1), loaded
    assert column(connection, "Prune", "node_name || owner::text") == ["bjosch_viewer", "dpostgres"]
    assert column(connection, "Prune", "node_id")[0] == first[1], "a node is known by its name"
    assert connection.execute("SELECT job_desc, schedule_at, valid_to, paused FROM josch.tpl_jobs WHERE job_name = 'Prune'").fetchone() == ("after", None, None, True)
    assert column(connection, "Beside", "node_name") == ["c"]
    with josch.Job("Prune") as job:
        job.node("b", exec_sql="SELECT 2")
    josch.load(connection, job)
    assert connection.execute("SELECT job_desc FROM josch.tpl_jobs WHERE job_name = 'Prune'").fetchone() == (None,)


def test_columns_get_their_defaults(connection):
    with josch.Job("Defaults") as job:
        job.node("a", "true", retries=3, timeout="1 h", repeatable=True)
    josch.load(connection, job)
    with josch.Job("Defaults") as job:
        job.node("a", "true")
    josch.load(connection, job)
    assert connection.execute("SELECT retries, timeout, repeatable FROM josch.tpl_nodes WHERE job_name = 'Defaults'").fetchone() == (0, None, False)


def test_load_is_whole(connection):
    with josch.Job("Whole") as job:
        a, b = job.node("a"), job.node("b")
        a >> b >> a
    error = raised(psycopg.errors.CheckViolation, josch.load, connection, job)
    assert "cycle" in str(error)
    assert column(connection, "Whole", "node_name") == []


def test_validate(connection):
    """It leaves nothing, and names places of the code."""
    with josch.Job("Tried") as job:
        job.node("a", exec_sql="SELECT 1")
        job.node("b", exec_sql="SELECT 1\n;").after(job.node("c", exec_sql="SELEC 1"))
        job.node("d", retries=-1)
    found = josch.validate(connection, job)
    assert [finding.severity for finding in found] == ["error"], found
    assert re.fullmatch(r'node "d" of job "Tried" \(.*/package_test\.py:\d+\)', found[0].place), found
    del job.nodes["d"]
    found = josch.validate(connection, job)
    assert [(finding.severity, finding.place[:27]) for finding in found] == [("error", 'node "c" of job "Tried" (' + __file__[:2])], found
    assert column(connection, "Tried", "node_name") == []


def test_diff(connection):
    with josch.Job("Differs") as job:
        a = job.node("a", "true")
    assert [row[:1] + row[2:3] for row in josch.diff(connection, job)] == [("tpl_jobs", "added"), ("tpl_nodes", "added")]
    josch.load(connection, job, comment="commit 4f2a91c")
    assert connection.execute("SELECT comment FROM josch.tpl_nodes_audit WHERE new_values->>'job_name' = 'Differs'").fetchone()[0] == "commit 4f2a91c"
    assert josch.diff(connection, job) == []
    a.columns["retries"] = 2
    row, = josch.diff(connection, job)
    assert row.change == "changed" and row.words == 'retries from "0" to "2"', row


def test_executor(connection):
    """A job and a node name where their commands run, as every column."""
    connection.execute("INSERT INTO josch.executors (executor_name, start_command) VALUES ('grid', 'grid start')")
    with josch.Job("Elsewhere", executor="grid") as job:
        job.node("a", "./price", executor_options="--mem=2G")
        job.node("b", "./here", executor="local")
    josch.load(connection, job)
    assert connection.execute("SELECT executor FROM josch.tpl_jobs WHERE job_name = 'Elsewhere'").fetchone() == ("grid",)
    assert column(connection, "Elsewhere", "concat(executor, executor_options)") == ["--mem=2G", "local"]
    job.nodes["b"].columns["executor"] = "gird"
    assert "gird" in str(raised(psycopg.errors.UndefinedObject, josch.load, connection, job))


def test_unknown_columns(connection):
    with josch.Job("Columns") as job:
        job.node("a", retrys=3)
    assert 'do you mean "retries"?' in str(raised(TypeError, josch.load, connection, job))
    with josch.Job("Columns", loaded_on="2020-01-01") as job:
        pass
    assert "loaded_on" in str(raised(TypeError, josch.load, connection, job))
    with josch.Job("Columns") as job:
        job.node("b").after(job.node("a"), weight=1)
    assert re.search(r"package_test\.py:\d+\): josch\.tpl_node_deps has no column", str(raised(TypeError, josch.load, connection, job)))


def test_every_column(connection):
    """All that a row has can be given by its name, and comes back."""
    connection.execute("INSERT INTO josch.calendars (calendar_name) VALUES ('Weekdays') ON CONFLICT DO NOTHING")
    with josch.Job("Every", "a \"job\"\nof two lines", calendar_name="Weekdays", schedule_at="26:00", catch_up="ask") as job:
        a = job.node("a, b", "printf '\"%s\"\\n' $DATE", work_dir="/tmp", at=datetime.time(8, 30))
        job.signoff("s", at=datetime.timedelta(hours=26)).after(a, days=-2, condition="done")
        job.long_running("l", "sleep 1", ready_command="true")
        job.review("r", exec_sql="SELECT ''\n")
        job.end("e")
    josch.load(connection, job)
    stored = list(josch.read_database(connection))
    given = {name for thing in stored if isinstance(thing, josch.Node) and thing.job.job_name == "Every" for name in thing.columns}
    has = {name for name, in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'josch.tpl_nodes'::regclass AND attnum > 0")}
    assert given == has, given ^ has
    assert set(counts(josch.load(connection, *stored)).values()) == {(0, 0, 0)}
    assert column(connection, "Every", "node_type || coalesce(start_time, signoff_time, '0')") == ["N08:30:00", "S26:00:00", "L00:00:00", "R00:00:00", "E00:00:00"]


def test_error_names_the_line(connection):
    with josch.Job("Lines") as job:
        job.node("a", exec_sql="SELECT 1;\nSELECT 2;\r\nSELECT 3")
        job.node("b", "true", retries=2000)
    error = raised(psycopg.errors.CheckViolation, josch.load, connection, job)
    if hasattr(error, "add_note"):  # Python 3.11
        assert re.fullmatch(r'node "b" of job "Lines" \(.*/package_test\.py:\d+\)', *getattr(error, "__notes__", [""])), error


def test_unfinished_job(connection):
    job = josch.Job("Unfinished")
    try:
        with job:
            job.node("a")
            raise KeyError
    except KeyError:
        pass
    assert "not finished" in str(raised(ValueError, josch.load, connection, job))


def test_two_of_a_name(connection):
    with josch.Job("Twice") as job:
        job.node("a")
        assert re.search(r"there is one of this name already \(.*:\d+\)", str(raised(ValueError, job.node, "a")))


def test_other_jobs(connection):
    with josch.Job("Above") as above:
        first = above.node("first", node_id=7001)
        above.node("second")
    with josch.Job("Below") as below:
        below.node("a").after(first)
        below.node("b").after(("Above", "second"), days=-1)
        below.node("c").after(7001)
    assert "no node" in str(raised(LookupError, josch.load, connection, below))
    josch.load(connection, above)
    josch.load(connection, below)
    assert connection.execute("""SELECT array_agg(p.node_name || d.p_date || c.node_name ORDER BY c.node_id) FROM josch.tpl_node_deps d
        JOIN josch.tpl_nodes p ON p.node_id = p_node_id JOIN josch.tpl_nodes c ON c.node_id = c_node_id WHERE c.job_name = 'Below'""").fetchone()[0] \
        == ["first0a", "second-1b", "first0c"]
    with josch.Job("Above") as above:
        above.node("first", node_id=7001)
    assert "Below" in str(raised(psycopg.Error, josch.load, connection, above)), "a node that others wait for is not pruned"


def test_two_databases(connection):
    """The same job in two databases: each has numbers of its own."""
    connection.execute("CREATE DATABASE second")
    try:
        with josch.Job("Two") as job:
            job.node("a") >> job.node("b")
        josch.load(connection, job)
        with psycopg.connect(dbname="second", autocommit=True) as other:
            other.execute("CREATE EXTENSION josch")
            josch.load(other, job)
            assert column(other, "Two", "node_id") == [1000000001, 1000000002] != column(connection, "Two", "node_id")
    finally:
        connection.execute("DROP DATABASE second WITH (FORCE)")


def test_lists(connection):
    with josch.Job("Lists") as job:
        a, b, c, d = (job.node(name) for name in "abcd")
        a >> [b, c] >> d
    josch.load(connection, job)
    assert [place.node_name for place in josch.topological_sort(connection, "Lists")] == ["a", "b", "c", "d"]
    assert len(job.deps) == 4


def test_rows_of_other_tables(connection):
    with josch.Job("Tables") as job:
        job.node("a", "echo $HOST_OF_TABLES")
    josch.load(connection, job, environs=[{"var": "HOST_OF_TABLES", "value": "db1, db2"}], holidays=[], calendars=[{"calendar_name": "Of Tables", "weekdays": [1, 2]}])
    assert connection.execute("SELECT value FROM josch.environs WHERE var = 'HOST_OF_TABLES'").fetchone()[0] == "db1, db2"
    assert connection.execute("SELECT weekdays FROM josch.calendars WHERE calendar_name = 'Of Tables'").fetchone()[0] == [1, 2]


def test_semaphores(connection):
    """What a node needs is a template of its job: pruned with the code, read back with the node."""
    with josch.Job("Limited", max_running=3) as job:
        a = job.node("a", "true", priority=5).needs("warehouse", 2)
        job.node("b", "true").after(a.needs("disk"))
    semaphores = [{"semaphore_name": "warehouse", "capacity": 3}, {"semaphore_name": "disk", "capacity": 1}]
    assert counts(josch.load(connection, job, semaphores=semaphores))["tpl_node_semaphores"] == (2, 0, 0)
    assert josch.diff(connection, *josch.read_database(connection)) == []
    del a.semaphores["disk"]
    assert counts(josch.load(connection, job))["tpl_node_semaphores"] == (0, 0, 1)
    node = next(t for t in josch.read_database(connection) if isinstance(t, josch.Node) and t.job.job_name == "Limited")
    assert (node.node_name, node.semaphores, node.columns["priority"]) == ("a", {"warehouse": 2}, 5)
    a.semaphores.clear()
    assert counts(josch.load(connection, job))["tpl_node_semaphores"] == (0, 0, 1)
    assert connection.execute("SELECT count(*) FROM josch.semaphores").fetchone()[0] == 2, "the semaphores themselves are not of the job"


def test_warnings(connection):
    with josch.Job("Warned") as job:
        job.node("a", "echo $NO_SUCH_VARIABLE")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        josch.load(connection, job)
    assert [w.category for w in caught] == [josch.JoschWarning] and "NO_SUCH_VARIABLE" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_rows_of_any_kind(connection):
    with psycopg.connect(autocommit=True, row_factory=dict_row) as other:
        with josch.Job("Kind") as job:
            job.signoff("s", at="167:00")
        josch.load(other, job)
        josch.schedule(other, datetime.date(2099, 1, 1), "Kind")
        assert josch.act.hold(other, ("Kind", "s"), "2099-01-01", "why not") == "held"
        assert other.execute("SELECT comment FROM josch.board WHERE job_name = 'Kind'").fetchone()["comment"] == "why not"


def test_parameters(connection):
    with josch.Job("Parameters") as job:
        job.signoff("s")
    josch.load(connection, job)
    josch.schedule(connection, "2025-04-05", "Parameters", {"REGION": "US", "BOOKS": 3})
    assert connection.execute("SELECT params FROM josch.jobs WHERE job_name = 'Parameters'").fetchone()[0] == {"REGION": "US", "BOOKS": "3"}


def test_acts(connection):
    with josch.Job("Acts") as job:
        a, b = job.signoff("a"), job.signoff("b")
        a >> b
    josch.load(connection, job)
    josch.schedule(connection, "2025-04-01", "Acts")
    number, = connection.execute("SELECT node_id FROM josch.tpl_nodes WHERE job_name = 'Acts' AND node_name = 'b'").fetchone()
    outcomes = josch.act(connection, "hold", [a, number, 999], "2025-04-01", "all of them")
    assert [(o.node_id == 999, o.state, o.sqlstate) for o in outcomes] in ([(False, "held", None), (False, "held", None), (True, None, "P0002")],
        [(False, None, "55000"), (False, "held", None), (True, None, "P0002")]), outcomes  # the first may be asked for already
    assert outcomes[2].hint and outcomes[2].message
    assert josch.act.skip(connection, ("Acts", "a"), "2025-04-01") == "skipped"
    assert josch.act.rerun(connection, a, "2025-04-01", descendants=True) in ("pending", "ready", "signoff")
    raised(psycopg.errors.UndefinedFunction, josch.act.no_such_act, connection, a, "2025-04-01")
    assert "no node" in str(raised(LookupError, josch.act.skip, connection, ("Acts", "z"), "2025-04-01"))


def test_changes_of_many(connection):
    """What is told of many nodes in one word comes as nodes, each once."""
    with josch.Job("Changes") as job:
        gate = job.signoff("gate")
        for number in range(50):
            gate >> job.signoff(f"s{number}")
    josch.load(connection, job)
    josch.schedule(connection, "2025-04-02", "Changes")
    raised(ValueError, lambda: next(josch.changes(psycopg.connect())))
    asked, skipped = [], []
    with psycopg.connect(autocommit=True) as other:
        for change in josch.changes(other, look=3600):
            if change.job_name == "Changes" and change.node_name == "gate" and change.state == "signoff":
                josch.act.signoff(other, change.node_id, change.job_date)
            elif change.job_name == "Changes" and change.state == "signoff":
                asked.append(change.node_id)
                if len(asked) == 50:
                    with connection.transaction():
                        josch.act(connection, "skip", asked, change.job_date)
            elif change.job_name == "Changes" and change.state == "skipped":
                skipped.append(change.node_id)
                if len(skipped) == 50:
                    break
    assert sorted(asked) == sorted(skipped) == sorted(set(skipped))


def test_changes_untold(connection):
    """What a prepared transaction has done, of which nothing is told, is found by looking."""
    with josch.Job("Untold") as job:
        job.signoff("s")
    josch.load(connection, job)
    josch.schedule(connection, "2025-04-06", "Untold")
    states = []
    with psycopg.connect(autocommit=True) as other, psycopg.connect() as prepared:
        for change in josch.changes(other, look=0.2):
            if change.job_name == "Untold":
                states.append(change.state)
                if change.state == "signoff":
                    prepared.tpc_begin(prepared.xid(1, "untold", "skip"))
                    josch.act.skip(prepared, change.node_id, change.job_date)
                    prepared.tpc_prepare()
                    prepared.tpc_commit()
                if change.state == "skipped":
                    break
    assert states[-2:] == ["signoff", "skipped"]


def test_context(connection):
    run = josch.context({"DATE": "2025-03-14", "PREV_DATE": "2025-03-13", "NODE_ID": "10", "RUN_ID": "7", "ATTEMPT": "2", "JOB_NAME": "J", "NODE_NAME": "n"})
    assert (run.date, run.prev_date, run.next_date, run.node_id, run.run_id, run.attempt) == (datetime.date(2025, 3, 14), datetime.date(2025, 3, 13), None, 10, 7, 2)
    raised(ValueError, run.result, rows="1\nresult rows=2")
    run.progress(1)  # without a file there is nobody to hear it
    assert "not started by JOSCH" in str(raised(RuntimeError, josch.context, {}))


def test_context_has_all(connection):
    """Every variable that says of a command which run it is is in the context; what is there for others, libpq and Python, is not."""
    with josch.Job("Context") as job:
        job.node("a")
    josch.load(connection, job)
    josch.schedule(connection, "2025-04-03", "Context")
    node, = connection.execute("SELECT node_id FROM josch.nodes WHERE job_name = 'Context'").fetchone()
    given = {var for var, in connection.execute("SELECT var FROM josch.environment(%s, '2025-04-03') EXCEPT SELECT var FROM josch.environs", [node])}
    given -= {"PGHOST", "PGPORT", "PGDATABASE", "PYTHONUNBUFFERED"}
    has = {field.upper() for field in josch.Context.__dataclass_fields__} - {"VARIABLES"}
    assert given == has, given ^ has


def test_csv(connection):
    josch.load(connection, *josch.read_csv(TOP / "tables"), environs=[{"var": "PYTHON", "value": "python3"}])
    assert josch.diff(connection, *josch.read_csv(TOP / "tables")) == []
    assert connection.execute("SELECT count(*) FROM josch.load_csv(%s) WHERE inserted + updated + deleted > 0 AND table_name <> 'environs'",
                              [str(TOP / "tables")]).fetchone()[0] == 0, "as the server reads them"


def test_day(connection):
    josch.load(connection, *josch.read_csv(TOP / "tables"), environs=[{"var": "PYTHON", "value": "false"}])
    josch.schedule(connection, "2025-04-04", "Sod")
    things = list(josch.read_database(connection, "2025-04-04"))
    assert [type(thing).__name__ for thing in things] == ["Job", "Node", "NodeDep"], things
    assert things[1].columns["state"] in ("pending", "ready", "signoff") and things[2].parent == 900000
