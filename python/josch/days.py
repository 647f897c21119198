"""Days: made, acted on, sorted and drawn. Each is a function of the schema josch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from psycopg import sql
from psycopg.types.json import Jsonb

from .server import Connection, ask, ask_for, warned
from .templates import Node, Parent

Date: TypeAlias = date | str


class Made(NamedTuple):
    """A job of a date that was made; nodes and dependencies are None where it could not be, and a warning says why."""

    job_name: str
    job_date: date
    nodes: int | None
    dependencies: int | None


class Outcome(NamedTuple):
    """What became of an act on one of many nodes: the state after, or why it was refused."""

    node_id: int
    job_date: date
    state: str | None
    sqlstate: str | None
    message: str | None
    detail: str | None
    hint: str | None


class Place(NamedTuple):
    """A node in topological order."""

    position: int
    level: int
    node_id: int
    job_date: date | None
    job_name: str
    node_name: str


def schedule(connection: Connection, job_date: Date | None = None, job_name: str | None = None,
             params: Mapping[str, str | int | float | bool] | None = None) -> list[Made]:
    """Makes the jobs of a date (None: today; all jobs); one job with variables of its own for that day."""
    with warned(connection):
        return ask_for(Made, connection, "SELECT * FROM josch.schedule(%s, %s, %s)", [job_date, job_name, None if params is None else Jsonb(dict(params))])


class Acts:
    """What people do to nodes: act.signoff(connection, node, date, comment) and all others of josch.acts(), which return the state after.
    A node is a number, (job, name), or a Node of templates. act(connection, "signoff", nodes, date): to many, with an outcome each."""

    def __getattr__(self, action: str) -> Callable[..., Any]:
        def one(connection: Connection, node: Parent, job_date: Date, comment: str | None = None, **further: Any) -> Any:
            named = {"node_id": _number(connection, node, job_date), "job_date": job_date} | ({} if comment is None else {"comment": comment}) | further
            call = sql.SQL("SELECT josch.{}({})").format(sql.Identifier(action), sql.SQL(", ").join(
                sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in named))
            with warned(connection):
                return ask(connection, call, list(named.values()))[0][0]
        if action.startswith("_"):
            raise AttributeError(action)
        return one

    def __call__(self, connection: Connection, action: str, nodes: Iterable[Parent], job_date: Date,
                 comment: str | None = None, seen: Sequence[int] | None = None) -> list[Outcome]:
        with warned(connection):
            return ask_for(
                Outcome, connection, "SELECT * FROM josch.act(%s, %s, ARRAY[%s::date], %s, %s)",
                [action, [_number(connection, node, job_date) for node in nodes], job_date, comment, seen])


act = Acts()


def _number(connection: Connection, node: Parent, job_date: Date) -> int:
    if isinstance(node, int):
        return node
    job_name, node_name = (node.job.job_name, node.node_name) if isinstance(node, Node) else node
    found = ask(connection, "SELECT node_id FROM josch.nodes WHERE job_date = %s AND job_name = %s AND node_name = %s", [job_date, job_name, node_name])
    if not found:
        raise LookupError(f'there is no node "{node_name}" in job "{job_name}" of {job_date}')
    return int(found[0][0])


def topological_sort(connection: Connection, job_name: str | None = None, job_date: Date | None = None) -> list[Place]:
    """The nodes of the templates, or of a day, parents before children."""
    return ask_for(Place, connection, "SELECT * FROM josch.topological_sort(%s, %s)", [job_name, job_date])


def visualize(connection: Connection, job_name: str | None = None, job_date: Date | None = None, file: str | Path | None = None) -> str:
    """The templates, or a day, as a graph in Graphviz' language; drawn to a file by its `dot`, in the format that the file's name says."""
    text = str(ask(connection, "SELECT josch.dot(%s, %s)", [job_name, job_date])[0][0])
    if file is not None:
        subprocess.run(["dot", f"-T{Path(file).suffix[1:]}", "-o", str(file)], input=text, encoding="utf-8", check=True)
    return text
