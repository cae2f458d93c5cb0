"""Where PostgreSQL and SQLite differ, and how the event path talks to both with little ado.

Statements here go to the driver directly: SQLAlchemy's own way takes twice the time of a small
statement, and a batch makes some twenty. They take a whole batch as one parameter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from worker.store.tables import instant


class Rows:
    """What a statement found, as the driver's own tuples; waits for them when first asked."""

    def __init__(self, db: Connection, cursor: Any) -> None:
        self._db, self._cursor = db, cursor

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.all())

    def all(self) -> Sequence[tuple[Any, ...]]:
        """All rows, at once. Ask once: they are handed out, not kept."""
        try:
            rows: Sequence[tuple[Any, ...]] = self._cursor.fetchall()
        except self._db.dialect.loaded_dbapi.Error as error:
            raise _told(error) from error
        return rows


@contextmanager
def pipelined(db: Connection) -> Iterator[None]:
    """Send the block's statements without waiting for one before the next.

    PostgreSQL then works on them while we prepare the next; whatever fails is raised where rows
    are asked for, or at the end. Only for statements of this module: SQLAlchemy's own ones look
    for their result too early.
    """
    if db.dialect.name != "postgresql":
        yield
        return
    try:
        with _driver(db).pipeline():
            yield
    except db.dialect.loaded_dbapi.Error as error:
        raise _told(error) from error


def answer_now(db: Connection) -> None:
    """In a pipeline, have what was asked so far answered before later statements are worked on.

    PostgreSQL would else keep the last rows back until there are more, or until we wait for them.
    """
    if db.dialect.name == "postgresql":
        raw = _driver(db).pgconn
        if raw.pipeline_status:
            raw.send_flush_request()


def commit_without_waiting(db: Connection) -> None:
    """Let this transaction's end not wait for the disk.

    It may be lost, whole, if the database itself crashes within a second.
    """
    if db.dialect.name == "postgresql":
        execute(db, "SET LOCAL synchronous_commit TO off")


def execute(db: Connection, sql: str, **parameters: Any) -> Rows:
    """Run one statement, with its parameters as `:name`, in the connection's transaction."""
    if not db.in_transaction():
        db.begin()
    if db.dialect.name == "postgresql":
        cursor = _driver(db).cursor(binary=True)
    else:
        cursor = _driver(db).cursor()
        parameters = {name: _as_text(value) for name, value in parameters.items()}
    try:
        cursor.execute(_native(sql, db.dialect.name), parameters)
    except db.dialect.loaded_dbapi.Error as error:
        raise _told(error) from error
    return Rows(db, cursor)


def execute_rows(
    db: Connection, sql: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], **more: Any
) -> Rows:
    """Run one statement over many rows, which `{rows}` in it stands for as a table `r`.

    `columns` maps each column of the rows to its PostgreSQL type. The rows travel as one JSON
    array: several times faster than one parameter set a row.
    """
    if db.dialect.name == "sqlite" and "timestamptz" in columns.values():
        rows = [[_as_text(value) for value in row] for row in rows]
    named = _row(tuple(columns))
    payload = msgspec.json.encode([named(*row) for row in rows]).decode()
    return execute(
        db, _with_rows(sql, tuple(columns.items()), db.dialect.name), rows=payload, **more
    )


def execute_among(db: Connection, sql: str, ids: Iterable[str], **more: Any) -> Rows:
    """Run a statement in which `{among}` stands for membership of `ids`: `account {among}`."""
    payload = msgspec.json.encode(list(ids)).decode()
    return execute(db, _with_ids(sql, db.dialect.name), ids=payload, **more)


def member_of(db: Connection, name: str) -> str:
    """The end of a condition that asks for one of the texts in the parameter `name`, a JSON array:
    `feature {member_of(db, "features")}`."""
    return _member_of(name, db.dialect.name)


def in_our_order(db: Connection, *columns: str) -> str:
    """The columns of an ORDER BY that sorts text as Python does, whatever the database's language.

    Rows are locked in this order everywhere, so that nobody waits for each other.
    """
    if db.dialect.name == "postgresql":
        return ", ".join(f'{column} COLLATE "C"' for column in columns)
    return ", ".join(columns)


def wait_at_most(db: Connection, seconds: int) -> None:
    """Let an error tell if this transaction has to wait for longer for a lock: `waited_too_long`.

    SQLite has one writer anyway, and waits for that as long as its connection says.
    """
    if db.dialect.name == "postgresql":
        execute(db, f"SELECT set_config('lock_timeout', '{seconds}s', true)")


def waited_too_long(error: Exception) -> bool:
    """Whether an error says no more than that somebody else held a lock for too long."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "55P03"


def _driver(db: Connection) -> Any:
    return db.connection.driver_connection


def _told(error: Exception) -> DBAPIError:
    """A driver's error as SQLAlchemy tells it, so that it need be known in one form only."""
    return DBAPIError(None, None, error)


def _as_text(value: Any) -> Any:
    """A date or time as SQLite keeps one."""
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


@lru_cache(maxsize=256)
def _row(columns: tuple[str, ...]) -> type[msgspec.Struct]:
    """A struct of these columns: made and encoded in a third of the time of a dict."""
    return msgspec.defstruct("Row", [(name, Any) for name in columns])


@lru_cache(maxsize=256)
def _with_rows(sql: str, columns: tuple[tuple[str, str], ...], dialect: str) -> str:
    if dialect == "postgresql":
        typed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        table = f"json_to_recordset(CAST(:rows AS json)) AS r({typed})"
    else:
        fields = ", ".join(f"json_extract(value, '$.{name}') AS \"{name}\"" for name, _ in columns)
        table = f"(SELECT {fields} FROM json_each(:rows)) AS r"
    return sql.replace("{rows}", table)


@lru_cache(maxsize=256)
def _with_ids(sql: str, dialect: str) -> str:
    return sql.replace("{among}", _member_of("ids", dialect))


def _member_of(name: str, dialect: str) -> str:
    if dialect == "postgresql":  # an array, which unlike a subquery is looked up in an index
        return f"= ANY(ARRAY(SELECT json_array_elements_text(CAST(:{name} AS json))))"
    return f"IN (SELECT value FROM json_each(:{name}))"


_PARAMETER = re.compile(r"(?<!:):(\w+)")


@lru_cache(maxsize=256)
def _native(sql: str, dialect: str) -> str:
    """The statement as the driver wants it: its own parameters, its own names of functions."""
    if dialect == "postgresql":
        return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
    # SQLite's two-argument min and max are NULL if either argument is, as the code expects.
    return sql.replace("least(", "min(").replace("greatest(", "max(")
