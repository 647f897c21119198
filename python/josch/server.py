"""Questions to the server, whatever the connection makes of rows; its WARNINGs become Python's, so that nobody has to ask for them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row, tuple_row

if TYPE_CHECKING:
    from typing_extensions import LiteralString

Connection: TypeAlias = psycopg.Connection[Any]
Query: TypeAlias = "LiteralString | sql.SQL | sql.Composed"
Row = TypeVar("Row")


class JoschWarning(UserWarning):
    """A WARNING of the server."""


@contextmanager
def warned(connection: Connection) -> Iterator[None]:
    """Passes the WARNINGs of what is executed meanwhile on to Python, as of the line that called the function that uses this."""
    said: list[str] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            said.append("\n".join(filter(None, (diagnostic.message_primary, diagnostic.message_detail, diagnostic.message_hint))))

    connection.add_notice_handler(note)
    try:
        yield
    finally:
        connection.remove_notice_handler(note)
        for message in said:
            warnings.warn(message, JoschWarning, stacklevel=4)


def ask(connection: Connection, query: Query, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return connection.cursor(row_factory=tuple_row).execute(query, parameters).fetchall()


def ask_for(row: type[Row], connection: Connection, query: Query, parameters: Sequence[Any] = ()) -> list[Row]:
    return connection.cursor(row_factory=class_row(row)).execute(query, parameters).fetchall()
