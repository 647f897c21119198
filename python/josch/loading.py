"""Templates into the database, and out of it or of CSV files. What the columns are is asked of the catalog."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import adapt, sql
from psycopg.abc import Transformer
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from .server import Connection, Row, ask, ask_for, warned
from .templates import Job, Node, NodeDep

Template: TypeAlias = "Job | Node | NodeDep"
Rows: TypeAlias = Sequence[Mapping[str, Any]]

# columns that the server keeps by itself, and those that are set beside the code: nobody's load takes them back
OWN = {"loaded_on", "days_after"}
BESIDE = {"owner", "paused"}


class Loaded(NamedTuple):
    """What a load did to a table."""

    table_name: str
    inserted: int
    updated: int
    deleted: int


class Finding(NamedTuple):
    """What is wrong (severity error), doubtful (warning) or worth knowing (note) of templates; the place is that of the code."""

    severity: str
    object: str
    message: str
    place: str | None


class Difference(NamedTuple):
    """What a load would do to a row: added, changed or removed, and in words how."""

    table_name: str
    object: str
    change: str
    words: str | None


def load(connection: Connection, *templates: Template, comment: str | None = None, **tables: Rows) -> list[Loaded]:
    """Makes the templates of these jobs what the code says, as a whole or not at all. Nodes and dependencies of theirs that the code does not
    have are deleted, columns that it does not give get their defaults (owner and paused are kept); other jobs and all variables stay.
    Further tables that josch.load() takes are given by name, as rows: load(connection, job, environs=[{"var": "HOST", "value": "db1"}])."""
    with warned(connection), connection.transaction():
        texts = _texts(connection, templates, tables)
        try:
            return _call(Loaded, connection, "load", texts, comment=comment)
        except psycopg.Error as error:
            for text in texts:
                text.explain(error)
            raise


def validate(connection: Connection, *templates: Template, **tables: Rows) -> list[Finding]:
    """What is wrong with the templates if they were loaded, and what is doubtful: they are loaded, looked at and taken back. Empty: nothing."""
    with connection.transaction():
        texts = _texts(connection, templates, tables)
        found = _call(Finding, connection, "validate_texts", texts)
    return [finding._replace(place=next(filter(None, (text.whose(finding.place) for text in texts)), finding.place)) for finding in found]


def diff(connection: Connection, *templates: Template, **tables: Rows) -> list[Difference]:
    """What load() would change; nothing is written."""
    with connection.transaction():
        return _call(Difference, connection, "diff_texts", _texts(connection, templates, tables))


def _call(row: type[Row], connection: Connection, function: str, texts: Sequence[_Text], **further: str | None) -> list[Row]:
    named = {text.table: text.text for text in texts} | {"mode": "replace_jobs"} | further
    arguments = sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in named)
    return ask_for(row, connection, sql.SQL("SELECT * FROM josch.{}({})").format(sql.Identifier(function), arguments), list(named.values()))


def _texts(connection: Connection, templates: Sequence[Template], tables: Mapping[str, Rows]) -> list[_Text]:
    jobs = list(dict.fromkeys(template for template in templates if isinstance(template, Job)))
    for job in jobs:
        if not job.finished:
            raise ValueError(f"{job} is not finished: its block was left by an exception, or is still open")
    nodes = [node for job in jobs for node in job.nodes.values()]
    deps = [dep for job in jobs for dep in job.deps]
    numbers = _numbers(connection, nodes)
    return [
        _Text(connection, "tpl_jobs", [(job, job.columns) for job in jobs]),
        _Text(connection, "tpl_nodes", [(node, node.columns | {"node_id": numbers[node]}) for node in nodes]),
        _Text(connection, "tpl_node_deps", [(dep, dep.columns | {"p_node_id": _parent(connection, numbers, dep), "c_node_id": numbers[dep.child]}) for dep in deps]),
        _Text(connection, "tpl_node_semaphores", [(node, {"node_id": numbers[node], "semaphore_name": name, "units": units})
                                                  for node in nodes for name, units in node.semaphores.items()]),
        *(_Text(connection, table, [("", row) for row in rows], whole=False) for table, rows in tables.items() if rows),
    ]


def _numbers(connection: Connection, nodes: Sequence[Node]) -> dict[Node, int]:
    """The numbers of the nodes: as given, else that of the stored node of the same job and name, else a new one."""
    bare = [node for node in nodes if node.node_id is None]
    stored = {(job, name): number for job, name, number in ask(
        connection, "SELECT job_name, node_name, node_id FROM josch.tpl_nodes WHERE job_name = ANY (%s)", [[node.job.job_name for node in bare]])}
    fresh = [node for node in bare if (node.job.job_name, node.node_name) not in stored]
    drawn = ask(connection, "SELECT josch.new_node_id() FROM generate_series(1, %s)", [len(fresh)])
    numbers = {node: number for node, (number,) in zip(fresh, drawn, strict=True)}
    return numbers | {node: node.node_id or stored[node.job.job_name, node.node_name] for node in nodes if node not in numbers}


def _parent(connection: Connection, numbers: Mapping[Node, int], dep: NodeDep) -> int:
    parent = dep.parent
    if isinstance(parent, int):
        return parent
    if isinstance(parent, Node) and parent in numbers:
        return numbers[parent]
    job, name = (parent.job.job_name, parent.node_name) if isinstance(parent, Node) else parent
    found = ask(connection, "SELECT node_id FROM josch.tpl_nodes WHERE job_name = %s AND node_name = %s", [job, name])
    if not found:
        raise LookupError(f'{dep}: there is no node "{name}" of job "{job}"')
    return int(found[0][0])


class _Text:
    """The rows of a table as a CSV text; knows which line is whose."""

    def __init__(self, connection: Connection, table: str, rows: Sequence[tuple[Template | str, Mapping[str, Any]]], whole: bool = True) -> None:
        self.table = table
        self.lines: dict[int, Template | str] = {}
        columns = [name for (name,) in ask(
            connection, "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum", [f"josch.{table}"])]
        named = {name for _, row in rows for name in row}
        self._refuse_unknown(columns, rows)
        columns = [name for name in columns if name in named or whole and name not in OWN | BESIDE]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        to_text = adapt.Transformer(connection)
        line = 2
        for whose, row in rows:
            fields = [_text(to_text, row.get(name)) for name in columns]
            writer.writerow(fields)
            self.lines[line] = whose
            line += 1 + sum(len(re.findall("\r\n|\r|\n", field)) for field in fields)
        self.text = out.getvalue()

    def _refuse_unknown(self, columns: Sequence[str], rows: Sequence[tuple[Template | str, Mapping[str, Any]]]) -> None:
        for whose, row in rows:
            for name in row:
                if name not in columns or name in OWN:
                    near = difflib.get_close_matches(name, columns, 1)
                    hint = f'; do you mean "{near[0]}"?' if near and name not in OWN else ""
                    raise TypeError(f'{whose or self.table}: josch.{self.table} has no column "{name}" to be loaded{hint}')

    def whose(self, place: str | None) -> str | None:
        """Of what a place like 'Text "tpl_nodes", line 3' tells, in the words of the code."""
        told = re.search(rf'"{self.table}", line (\d+)', place or "")
        return str(self.lines.get(int(told[1]), "")) or None if told else None

    def explain(self, error: psycopg.Error) -> None:
        whose = self.whose(error.diag.message_detail)
        if whose and hasattr(error, "add_note"):
            error.add_note(whose)


def _text(to_text: Transformer, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):  # in hours, as times of day are written; Python makes days of 24
        return f"{'-' * (value < timedelta())}{abs(value) // timedelta(hours=1)}:{abs(value) // timedelta(minutes=1) % 60:02}:{abs(value).total_seconds() % 60:09.6f}"
    data = to_text.get_dumper(value, adapt.PyFormat.TEXT).dump(value)
    return "" if data is None else bytes(data).decode(to_text.encoding)


def read_csv(directory: str | Path) -> Iterator[Template]:
    """The templates of tpl_jobs.csv, tpl_nodes.csv, tpl_node_deps.csv and, where it is there, tpl_node_semaphores.csv of a folder: jobs, nodes, dependencies."""
    def rows(table: str, optional: bool = False) -> list[dict[str, Any]]:
        path = Path(directory) / f"{table}.csv"
        if optional and not path.exists():
            return []
        with open(path, encoding="utf-8-sig", newline="") as file:
            return [{name: value or None for name, value in row.items() if name not in OWN} for row in csv.DictReader(file, strict=True)]
    yield from _templates(rows("tpl_jobs"), rows("tpl_nodes"), rows("tpl_node_deps"), rows("tpl_node_semaphores", optional=True))


def read_database(connection: Connection, job_date: date | str | None = None) -> Iterator[Template]:
    """The stored templates, or a day: jobs, then nodes, then dependencies, each with all columns of its row, intervals as texts."""
    def rows(template: str, day: str, which: str) -> list[dict[str, Any]]:
        query = sql.SQL("SELECT * FROM josch.{} WHERE %(day)s::date IS NULL OR {} = %(day)s ORDER BY 1, 2, 3").format(
            sql.Identifier(template if job_date is None else day), sql.SQL("NULL") if job_date is None else sql.Identifier(which))
        cursor = connection.cursor(row_factory=dict_row)
        cursor.adapters.register_loader("interval", TextLoader)  # 26:00 is not a day and two hours
        found = cursor.execute(query, {"day": job_date}).fetchall()
        return [{name: value for name, value in row.items() if name not in OWN} for row in found]
    yield from _templates(rows("tpl_jobs", "jobs", "job_date"), rows("tpl_nodes", "nodes", "job_date"), rows("tpl_node_deps", "node_deps", "c_date"),
                          rows("tpl_node_semaphores", "node_semaphores", "job_date"))


def _templates(jobs: Iterable[dict[str, Any]], nodes: Iterable[dict[str, Any]], deps: Iterable[dict[str, Any]],
               semaphores: Iterable[dict[str, Any]]) -> Iterator[Template]:
    by_name: dict[str, Job] = {}
    by_number: dict[int, Node] = {}
    for row in jobs:
        job = Job(row.pop("job_name"), row.pop("job_desc", None), **row)
        by_name[job.job_name] = job
    yield from by_name.values()
    for row in nodes:
        node = by_name[row.pop("job_name")].node(row.pop("node_name"), row.pop("exec_command", None), **row)
        if node.node_id is not None:
            by_number[node.node_id] = node
    for row in semaphores:
        by_number[int(row["node_id"])].needs(row["semaphore_name"], int(row["units"] or 1))
    for job in by_name.values():
        yield from job.nodes.values()
    for row in deps:
        parent = int(row.pop("p_node_id"))
        child = by_number[int(row.pop("c_node_id"))]
        child.job.deps.append(NodeDep(by_number.get(parent, parent), child, row))
        yield child.job.deps[-1]
