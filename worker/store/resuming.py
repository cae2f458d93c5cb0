"""Goes on with a webhook, and tries again what was given up, unless it has been overtaken.

While a message was given up, newer ones of its account went out. What those have told of the same
flag or fact is what is true since: the older word, coming after it, would put its receiver wrong.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from worker.core.webhooks import spoken_of, without
from worker.store.tables import webhook_endpoints, webhook_messages
from worker.store.webhooks import DROPPED, FAILED, SENT, WAITING

OVERTAKEN = "newer messages have told of it since"
"""Why a message that waited is not sent any more."""

_OF = webhook_messages.c


class Resumed(NamedTuple):
    """How many messages that were given up are sent again, and how many are not, since newer ones
    have told all that they say."""

    again: int
    overtaken: int


class _Message(NamedTuple):
    id: int
    account: str
    body: dict[str, Any]


def resume(db: Connection, webhook: str, now: datetime) -> Resumed:
    """Go on with a webhook: send what waits at once, and what was given up in its place before it.

    Of one that newer messages have told in part, only the rest is sent.
    """
    end = webhook_endpoints.c
    db.execute(
        update(webhook_endpoints)
        .where(end.webhook == webhook)
        .values(stopped_at=None, paused_until=None, failures=0, error=None)
    )
    # The row is locked since: whoever is at work has its lease by now, or waits for us.
    leased_until = db.scalar(select(end.leased_until).where(end.webhook == webhook))
    on_their_way = leased_until is not None and leased_until > now
    ours = update(webhook_messages).where(_OF.webhook == webhook)
    given_up = _given_up(db, webhook)
    newer = _newest(db, webhook, [SENT, WAITING] if on_their_way else [SENT])
    db.execute(ours.where(_OF.state == WAITING).values(due_at=now, attempts=0))
    overtaken = 0
    for one in given_up:
        told = newer.get(one.account, {})
        rest = without(one.body, {topic for topic, last in told.items() if last > one.id})
        values: dict[str, Any]
        if rest is None:
            values = {"state": DROPPED, "ended_at": now, "error": OVERTAKEN}
            overtaken += 1
        else:
            values = {"state": WAITING, "due_at": now, "attempts": 0}
            values |= {"ended_at": None, "error": None}
            if rest is not one.body:
                values["body"] = msgspec.json.encode(rest).decode()
        db.execute(ours.where(_OF.id == one.id).values(values))
    return Resumed(len(given_up) - overtaken, overtaken)


def _given_up(db: Connection, webhook: str) -> list[_Message]:
    found = db.execute(
        select(_OF.id, _OF.account, _OF.body)
        .where(_OF.webhook == webhook, _OF.state == FAILED)
        .order_by(_OF.id)
    )
    return [_Message(id_, account, msgspec.json.decode(body)) for id_, account, body in found]


def _newest(db: Connection, webhook: str, states: list[str]) -> Mapping[str, Mapping[str, int]]:
    """By account and by what is spoken of: the id of the newest message that does, in these states
    and of accounts of which something was given up."""
    troubled = select(_OF.account).where(_OF.webhook == webhook, _OF.state == FAILED)
    found = db.execute(
        select(_OF.id, _OF.account, _OF.body)
        .where(_OF.webhook == webhook, _OF.state.in_(states), _OF.account.in_(troubled))
        .order_by(_OF.id)
    )
    newest: dict[str, dict[str, int]] = defaultdict(dict)
    for id_, account, body in found:
        newest[account] |= dict.fromkeys(spoken_of(msgspec.json.decode(body)), id_)
    return newest
