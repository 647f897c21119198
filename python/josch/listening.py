"""Changes of nodes, as they are committed. A notification is a hint, which may name no node at all: the rows are read again, and the reader
sees rows only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

from .server import Connection, ask, ask_for

if TYPE_CHECKING:
    from typing_extensions import LiteralString

DAYS_KEPT = 40  # of so many days it is known what was told


class Change(NamedTuple):
    """A node whose state has changed, as it is now."""

    job_date: date
    node_id: int
    job_name: str
    node_name: str
    node_type: str
    state: str
    message: str | None
    run_id: int | None
    change_id: int


class _Board:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told: dict[date, dict[int, int]] = {}  # the change_id of each node
        self.open: set[date] = set()  # days in which something waited or ran when it was looked
        self.since = int(ask(connection, "SELECT last_value FROM josch.change_id_seq")[0][0])

    def read(self, which: LiteralString, *parameters: object) -> list[Change]:
        columns = sql.SQL(", ").join(map(sql.Identifier, Change._fields))
        return ask_for(Change, self.connection, sql.SQL("SELECT {} FROM josch.board WHERE {} ORDER BY change_id").format(columns, sql.SQL(which)), parameters)

    def look(self) -> list[Change]:
        """All nodes of the days that are open, or were at the last look."""
        before = self.open
        self.open = {day for (day,) in ask(self.connection, "SELECT job_date FROM josch.waiting UNION SELECT job_date FROM josch.runs WHERE ended_at IS NULL")}
        return self.read("job_date = ANY (%s)", list(before | self.open))

    def follow(self, hints: list[dict[str, Any]]) -> list[Change]:
        """The nodes that notifications name, and all of a day where they do not."""
        nodes = {(hint["date"], hint["node"]) for hint in hints if "node" in hint}
        days = {hint["date"] for hint in hints if "date" in hint and "node" not in hint}
        named = self.read("(job_date, node_id) IN (SELECT * FROM unnest(%s::date[], %s::bigint[]))", [d for d, _ in nodes], [n for _, n in nodes]) if nodes else []
        return named + (self.read("job_date = ANY (%s::date[])", list(days)) if days else [])

    def is_news(self, row: Change) -> bool:
        day = self.told.pop(row.job_date, {})
        self.told[row.job_date] = day  # the day of the last change is last
        news = day.get(row.node_id) != row.change_id and (row.node_id in day or row.change_id > self.since)
        day[row.node_id] = row.change_id
        if len(self.told) > DAYS_KEPT:
            del self.told[next(iter(self.told))]
        return news


def changes(connection: Connection, *, look: float = 300) -> Iterator[Change]:
    """Yields first the nodes that wait for a person, then each node whose state changes, as it is by then, for ever. What changes several times
    before it is read is told once; a change of a day long past may be told twice. The connection, which must be in autocommit mode, is free
    meanwhile: act on it in the body of the loop. Every `look` seconds it looks without having been told."""
    if not connection.autocommit:
        raise ValueError("the connection must be in autocommit mode: in a transaction nothing is heard")
    connection.execute("LISTEN josch")
    board = _Board(connection)
    for row in board.look():
        board.is_news(row)
    yield from board.read("(job_date, node_id) IN (SELECT a.job_date, a.node_id FROM josch.attention a)")
    while True:
        hints = [json.loads(note.payload) for note in connection.notifies(timeout=look, stop_after=1) if note.channel == "josch"]
        for row in board.follow(hints) if hints else board.look():
            if board.is_news(row):
                yield row
