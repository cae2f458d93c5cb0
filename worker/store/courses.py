"""Courses of tickets and goals: one row each, with the whole course and what is looked up of it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.contents import Outcome, Ticket
from worker.core.courses import Course, Step, merged, step_of
from worker.core.events import Event
from worker.core.support import raised, standing
from worker.store.dialect import Rows, execute_rows

decode_course = msgspec.json.Decoder(list[Step]).decode
"""A course, as its row keeps it."""

_KEYS = {"tickets": "ticket", "goals": "goal"}
_COLUMNS = {
    "tickets": {
        "day": "int",
        "last_day": "int",
        "is_open": "boolean",
        "priority": "text",
        "topic": "text",
        "defect": "text",
        "course": "text",
    },
    "goals": {"course": "text"},
}

Key = tuple[str, str]
"""(account, ticket or goal)"""


def ask_courses(db: Connection, events: Sequence[Event]) -> Callable[[], None]:
    """Ask for the courses that these ticket and outcome events belong to.

    Their accounts must be locked. The function returned waits for the answer, and adds the events
    in their places.
    """
    new: dict[str, dict[Key, Course]] = {"tickets": defaultdict(list), "goals": defaultdict(list)}
    for event in events:
        account = event.account or ""
        match event.data:
            case Ticket(ticket=name):
                new["tickets"][account, name].append(step_of(event))
            case Outcome(goal=name):
                new["goals"][account, name].append(step_of(event))
    asked = [
        (table, courses, _ask(db, table, courses)) for table, courses in new.items() if courses
    ]

    def answer() -> None:
        for table, courses, found in asked:
            _write(db, table, courses, found)

    return answer


def _ask(db: Connection, table: str, courses: Mapping[Key, Course]) -> Rows:
    key = _KEYS[table]
    return execute_rows(
        db,
        f"SELECT t.account, t.{key}, t.course FROM {{rows}} "
        f"JOIN {table} t ON t.account = r.account AND t.{key} = r.{key}",
        {"account": "text", key: "text"},
        sorted(courses),
    )


def _write(db: Connection, table: str, courses: Mapping[Key, Course], found: Rows) -> None:
    kept = {(account, name): decode_course(course) for account, name, course in found}
    rows = []
    for key, steps in sorted(courses.items()):
        course = merged(kept.get(key, ()), steps)
        rows.append((*key, *_looked_up(table, course), msgspec.json.encode(course).decode()))
    columns = {"account": "text", _KEYS[table]: "text"} | _COLUMNS[table]
    updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[table])
    execute_rows(
        db,
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {{rows}} "
        f"WHERE true ON CONFLICT (account, {_KEYS[table]}) DO UPDATE SET {updates}",
        columns,
        rows,
    )


def _looked_up(table: str, course: Course) -> Sequence[Any]:
    """What rows are found by, and measured by."""
    if table == "goals":
        return ()
    ticket = raised(course)
    return (
        ticket.day,
        course[-1].day,
        standing(course).is_open,
        ticket.priority,
        ticket.topic,
        ticket.defect,
    )
