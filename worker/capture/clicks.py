"""Clicks that count: kept before Slack is answered, worked on after that, and by another process if
the one that answered is killed.

Only what changes something is kept. A window that does not open is opened again by whoever waits
for it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from worker.capture import acting, windows
from worker.capture.asking import Desk
from worker.slack_actions.answering import IsBusy
from worker.store import clicks
from worker.store.clicks import Click
from worker.store.database import reading, writing

LEASE = timedelta(seconds=20)
"""Far longer than a click takes; to work on one twice at once is no harm, it counts once."""

LOOK_EVERY = 5
"""Seconds between two looks for what others have left undone."""

MOST_STARTS = 5
"""After so many the click itself is what kills processes."""

_BODY = ("type", "user", "team", "container", "trigger_id", "response_url")
_VIEW = ("id", "type", "callback_id", "private_metadata", "state")

Work = Callable[..., None]
"""Has something done that need not be waited for: a function, and what it is called with."""

log = structlog.get_logger("tiewatch")


def keep(desk: Desk, body: Mapping[str, Any], action: Mapping[str, Any] | None = None) -> Click:
    """Keep a button that was pressed, or a window that was submitted: of what Slack sent, that by
    which it is worked on.

    Raises:
        SQLAlchemyError: it cannot be kept; Slack must not be told otherwise.
    """
    kept = {name: body[name] for name in _BODY if name in body}
    view = body.get("view")
    if view:
        kept["view"] = {name: view[name] for name in _VIEW if name in view}
    if action is not None:
        kept["actions"] = [action]
    key = windows.key_of(view or {}) if action is None else acting.key_of(body, action)
    click = Click(key, body["type"], json.dumps(kept))
    with writing(desk.engine) as db:
        clicks.keep(db, click, desk.now(), LEASE)
    return click


def work_on(desk: Desk, client: WebClient, click: Click) -> None:
    """Do what a click asks for, once however often it is worked on, and forget it. What cannot be
    done yet is put off."""
    body, first = json.loads(click.body), click.starts == 1
    try:
        for action in body.get("actions", ()):
            acting.pressed(desk, client, body, action, first)
        if "actions" not in body:
            windows.submitted(desk, client, body, first)
    except IsBusy:
        with writing(desk.engine) as db:
            clicks.put_off(db, click, desk.now() + LEASE)
    except BaseException:
        _forget(desk, click)
        raise
    else:
        _forget(desk, click)


def _forget(desk: Desk, click: Click) -> None:
    with writing(desk.engine) as db:
        clicks.done(db, click.key)


@contextmanager
def taken_over(desk: Desk, client: WebClient, work: Work) -> Iterator[None]:
    """Meanwhile, have done what processes leave undone that die, also those of before."""
    ended = threading.Event()
    thread = threading.Thread(
        target=_look, args=(desk, client, work, ended), name="clicks", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _look(desk: Desk, client: WebClient, work: Work, ended: threading.Event) -> None:
    while True:
        try:
            take_over(desk, client, work)
        except SQLAlchemyError as error:
            log.warning("clicks wait until the database answers", error=type(error).__name__)
        if ended.wait(LOOK_EVERY):
            return


def take_over(desk: Desk, client: WebClient, work: Work) -> None:
    """Have done what nobody works on any more."""
    now = desk.now()
    with reading(desk.engine) as db:
        if not clicks.are_left(db, now):
            return
    with writing(desk.engine) as db:
        left = clicks.take_over(db, now, LEASE)
    for click in left:
        if click.starts > MOST_STARTS:
            log.error("a click was given up: whoever works on it dies", click=click.key)
            _forget(desk, click)
        else:
            work(work_on, desk, client, click)
