"""Conversations: where the card stands that a recipient has of an account, and what it says.

A recipient has one at a time about an account; whose turn is over stays as a record.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, false, insert, select, update

from worker.core.bundles import Kind
from worker.core.conversations import Standing, goes_on
from worker.core.flags import State
from worker.store import answers
from worker.store.messages import SENT, TELLING
from worker.store.tables import conversations, flags, messages, reps


@dataclass(frozen=True, slots=True)
class Conversation:
    """A card that has been posted: to what address, its channel's id, and its `ts` there."""

    id: int
    address: str
    channel: str
    root_ts: str


def live(db: Connection, account: str, recipient: str, on: date) -> Conversation | None:
    """The conversation in which a recipient is told news of `on`, unless a new one is to begin."""
    of = conversations.c
    found = db.execute(
        select(of.id, of.address, of.channel, of.root_ts, of.ended_on)
        .where(of.account == account, of.recipient == recipient, of.root_ts.is_not(None))
        .order_by(of.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None or not goes_on(found.ended_on, on):
        return None
    return Conversation(found.id, found.address, found.channel, found.root_ts)


def begin(
    db: Connection,
    account: str,
    recipient: str,
    address: str,
    channel: str,
    root_ts: str,
    now: datetime,
    ended_on: date | None = None,
    instead_of: int | None = None,
) -> int:
    """Note that a card has been posted; the conversation's number.

    `ended_on` is when its last flag ended, if none is live; `instead_of` a conversation whose card
    is gone, or that was with another user: what was told in it counts as told in this one.
    """
    new = db.execute(
        insert(conversations)
        .values(
            account=account,
            recipient=recipient,
            address=address,
            channel=channel,
            root_ts=root_ts,
            begun_at=now,
            ended_on=ended_on,
        )
        .returning(conversations.c.id)
    ).scalar_one()
    if instead_of is not None:
        db.execute(
            update(messages).where(messages.c.conversation == instead_of).values(conversation=new)
        )
    return int(new)


def end(db: Connection, conversation: int, on: date | None) -> None:
    """Note when the last flag of a conversation ended, or that one is live (again)."""
    db.execute(update(conversations).where(conversations.c.id == conversation).values(ended_on=on))


def forget(db: Connection, conversation: int) -> None:
    """Note that a conversation's card is gone: nothing is told in it any more."""
    db.execute(update(conversations).where(conversations.c.id == conversation).values(root_ts=None))


def told(db: Connection, conversation: int) -> list[str]:
    """The bodies of the alerts that have been told in a conversation, in order."""
    found = db.scalars(
        select(messages.c.body)
        .where(
            messages.c.conversation == conversation,
            messages.c.state == SENT,
            messages.c.kind.in_((*TELLING, Kind.UPDATE)),
            messages.c.body != "",
        )
        .order_by(messages.c.id)
    )
    return list(found)


def standings(db: Connection, account: str) -> dict[str, Standing]:
    """How each rule's last flag on an account stands now."""
    of = flags.c
    found = db.execute(
        select(of.id, of.rule, of.state, of.resolved_on, of.quiet_until, of.assignee, reps.c.name)
        .outerjoin(reps, reps.c.rep == of.assignee)
        .where(of.account == account, of.shadow == false())
        .order_by(of.id)
    )
    last = {row.rule: row for row in found}
    given = answers.last(db, [row.id for row in last.values()]) if last else {}
    standing = {}
    for rule, row in last.items():
        answer = given.get(row.id)
        standing[rule] = Standing(
            flag=row.id,
            state=State(row.state),
            resolved_on=row.resolved_on,
            by=answer.by if answer else None,
            note=answer.words if answer else None,
            until=row.quiet_until,
            assignee=row.name or row.assignee,
        )
    return standing
