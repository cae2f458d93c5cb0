"""Where a recipient is in Slack, as far as is known without asking Slack."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, text

from worker.store.messages import ADMIN
from worker.store.tables import Instant, reps, slack_users

KNOWN_FOR = timedelta(days=7)
UNKNOWN_FOR = timedelta(days=1)
"""How long it is believed that an e-mail address has a Slack user, and that it has none."""


class Channels(NamedTuple):
    """The channels that the settings name, by id or name."""

    default: str | None
    admin: str | None


class Address(NamedTuple):
    """Where to post: a user's id, or a channel's id or name; None if there is no such place.

    `ask` is the e-mail address of which Slack is to be asked first. `missing` says why a rep's
    alerts go to the default channel.
    """

    at: str | None
    ask: str | None = None
    missing: str | None = None


def address(db: Connection, recipient: str, channels: Channels, now: datetime) -> Address:
    """Where a recipient of `messages` is in Slack.

    A rep is found by `slack_user`, else by e-mail. One who has left, or is not in Slack, is told in
    the default channel.
    """
    kind, _, name = recipient.partition(":")
    if kind == "rep":
        return _of_rep(db, name, channels.default, now)
    if kind == "channel":
        return Address(name)
    if recipient == ADMIN:
        return Address(channels.admin or channels.default)
    return Address(channels.default)


def _of_rep(db: Connection, id_: str, default: str | None, now: datetime) -> Address:
    of = reps.c
    rep = db.execute(
        select(of.name, of.email, of.slack_user, of.gone).where(of.rep == id_)
    ).one_or_none()
    if rep is not None and rep.gone:
        return Address(default)
    if rep is not None and rep.slack_user:
        return Address(rep.slack_user)
    called = f"{rep.name} (rep {id_})" if rep is not None and rep.name else f"Rep {id_}"
    if rep is None or not rep.email:
        return Address(default, missing=f"{called} has neither a slack_user nor an e-mail address")
    known = db.execute(
        select(slack_users.c.slack_user, slack_users.c.looked_up_at).where(
            slack_users.c.email == rep.email
        )
    ).one_or_none()
    if known is None or now - known.looked_up_at >= (
        KNOWN_FOR if known.slack_user else UNKNOWN_FOR
    ):
        return Address(None, ask=rep.email)
    if known.slack_user:
        return Address(known.slack_user)
    return Address(default, missing=f"No Slack user was found by the e-mail address of {called}")


def learn(db: Connection, email: str, slack_user: str | None, now: datetime) -> None:
    """Remember which Slack user has an e-mail address, or that none has."""
    db.execute(
        text(
            """
            INSERT INTO slack_users (email, slack_user, looked_up_at) VALUES (:email, :user, :now)
            ON CONFLICT (email) DO UPDATE
            SET slack_user = excluded.slack_user, looked_up_at = excluded.looked_up_at
            """
        ).bindparams(bindparam("now", type_=Instant)),
        {"email": email, "user": slack_user, "now": now},
    )
