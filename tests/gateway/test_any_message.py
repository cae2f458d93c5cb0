"""Whatever stands in a message, it becomes events that can be applied, or is told what is wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.pipeline import rows
from tests.today import NOW
from worker.capture import hooks, segment
from worker.capture.answers import kept
from worker.capture.retrying import again
from worker.capture.taking import Taken, why_not
from worker.core.addresses import NO_PEOPLE
from worker.core.events import Quarantined
from worker.core.mapping import Shape
from worker.core.picking import Value
from worker.rulefiles import load_capture
from worker.shipped import rules_dir
from worker.store import event_log, tables
from worker.store.database import writing
from worker.store.event_log import digest
from worker.store.quarantine import Kept

SHIPPED = load_capture(rules_dir() / "capture.yaml")
ODD = ["01/02/2026", "31/12/2026", "2026-13-05", "46112", 46112.5, "2026-03-05 10:22", "0000-00-00",
       "9999-12-31T23:59:59-23:59", 1e300, -1, 10**400, "9" * 400, "", "\ud800", "a\x00b", "true",
       True, None, [], {}, [[]], [None, 1], {"a": {}}, "$1,2.3,4", "x@y@z", "@"]  # fmt: skip
OF_CALLS = ["$.userId", "$.groupId", "$.context.groupId", "$.previousId", "$.messageId",
            "$.timestamp", "$.sentAt", "$.event", "$.name"]  # fmt: skip


def paths_of(shapes: Iterable[Shape], *more: Value) -> list[str]:
    """All paths that these lead along."""
    ways = [value for one in shapes for value in (*one.fields.values(), one.subject, one.time)]
    return sorted({pick.path for value in (*ways, *more) for pick in value if pick.path})


def put(message: Any, path: str, value: Any) -> None:
    """Have a path of names lead to the value."""
    step, _, rest = path.removeprefix("$.").partition(".")
    if not rest:
        message[step] = value
    elif step.endswith("[*]"):
        put(message.setdefault(step.removesuffix("[*]"), [{}])[0], rest, value)
    else:
        put(message.setdefault(step, {}), rest, value)


def messages(paths: Iterable[str], fixed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Messages with an odd value at one of these paths, and something at the others."""
    paths = [path for path in paths if path not in fixed]
    for odd in paths:
        for value in ODD:
            message: dict[str, Any] = {}
            for path, given in {**dict.fromkeys(paths, "7"), **fixed, odd: value}.items():
                put(message, path, given)
            yield message


@pytest.fixture
def check(postgresql_engine: Engine) -> Iterator[Callable[[Taken], None]]:
    """Checks what was taken; at the end, that all that was refused can be kept as it came."""
    refused: list[Quarantined] = []

    def checked(taken: Taken) -> None:
        refused.extend(taken.refused)
        _check(taken)

    yield checked
    with writing(postgresql_engine) as db:
        event_log.quarantine(db, refused, NOW)
    assert len(rows(postgresql_engine, tables.quarantine)) == len(set(map(digest, refused)))


def _check(taken: Taken) -> None:
    """What is to be applied can be, and what is refused has its reasons, again and again."""
    assert kept(taken, HTTPStatus.OK).status_code == HTTPStatus.OK
    assert [one for one in taken.events if why_not(one, NOW) is not None] == []
    for one in taken.refused:
        assert one.problems
        found = Kept("k", one.source, one.id, one.problems, one.body, one.way, NOW)
        [still] = again(found, SHIPPED, NOW).refused
        assert still.problems == one.problems


@pytest.mark.parametrize("name", SHIPPED.hooks)
def test_a_webhook_is_taken_or_told_whatever_order_its_mapping_is_in(name, check):
    hook = SHIPPED.hooks[name]
    upside_down = replace(hook, events=hook.events[::-1])
    for shape in hook.events:
        fixed = {str(pick.path): words[0] for pick, words in shape.when}
        for message in messages(paths_of([shape], hook.id, hook.time), fixed):
            taken = hooks.take([message], name, hook, NO_PEOPLE, NOW)
            check(taken)
            other = hooks.take([message], name, upside_down, NO_PEOPLE, NOW)
            assert taken.events == other.events[::-1]


@pytest.mark.parametrize("kind", segment.CALLS)
def test_a_call_is_taken_or_told(kind, check):
    names = SHIPPED.track if kind == "track" else ["Home"]
    for name in names:
        shape = SHIPPED.track.get(name) if kind == "track" else SHIPPED.calls.get(kind)
        paths = [*OF_CALLS, *(paths_of([shape]) if shape else [])]
        for message in messages(paths, {"$.type": kind, "$.event": name}):
            check(segment.take([message], "app", SHIPPED, NOW))
