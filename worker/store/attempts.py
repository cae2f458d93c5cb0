"""Attempts: work that may fail without its whole transaction, and with what it did."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Failed(NamedTuple):
    """A piece of work that came to nothing, and why."""

    error: Exception

    @property
    def in_words(self) -> str:
        """The error in one line: a database's goes on with its statement."""
        return f"{type(self.error).__name__}: {self.error}".partition("\n")[0][:500]


def attempted(db: Connection, work: Callable[[], Result], *, keep: bool = True) -> Result | Failed:
    """What the work comes to. If it fails, or unless it is to be kept, nothing of it stays in the
    database.

    Raises:
        DBAPIError: it is the database that is in trouble, whatever it is asked for.
    """
    attempt = db.begin_nested()
    try:
        result = work()
    except Exception as error:
        if _is_of_the_database(db, error):
            raise
        attempt.rollback()
        return Failed(error)
    if keep:
        attempt.commit()
    else:
        attempt.rollback()
    return result


def culprits(
    things: Sequence[Thing], attempt: Callable[[Sequence[Thing]], object]
) -> Iterator[tuple[Thing, Failed]]:
    """The things with which an attempt comes to `Failed`, and how: looked for by halves, so that a
    few among many are found fast.

    Of things with which it fails only together, the later half is to blame.
    """
    tried = attempt(things)
    if not isinstance(tried, Failed):
        return
    if len(things) == 1:
        yield things[0], tried
        return
    middle, found = len(things) // 2, False
    for half in (things[:middle], things[middle:]):
        for one in culprits(half, attempt):
            found = True
            yield one
    if not found:
        yield from ((one, tried) for one in things[middle:])


def _is_of_the_database(db: Connection, error: Exception) -> bool:
    driver = db.dialect.loaded_dbapi
    return isinstance(error, DBAPIError) and isinstance(
        error.orig, (driver.OperationalError, driver.InterfaceError)
    )
