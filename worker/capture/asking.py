"""Someone in Slack who asks for something: who it is, and what is worked with to do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from slack_sdk import WebClient
from sqlalchemy import Engine

from worker.capture.replies import Reply
from worker.core.answers import Answer
from worker.rulebooks.rulebook import Rulebook
from worker.slack import views
from worker.slack.actions import Action
from worker.slack_actions import answering, authority, lists
from worker.slack_actions.authority import Clicked

Result = TypeVar("Result")

log = structlog.get_logger("tiewatch")

TITLES = {
    Action.ACKNOWLEDGE: "Acknowledge",
    Action.SNOOZE: "Snooze",
    Action.DISMISS: "Dismiss",  # a risk, or a chance
    Action.ASSIGN: "Assign",
    Action.FIX_CONTACT: "Fix contact",
    Action.WHY: "Why?",
    Action.ACCOUNT: "Account",
    Action.MORE: "tiewatch",
}
"""What the windows about each action are called."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is worked with. `with_rules` calls with the rules in force, again if they are others by
    then; `deliver` asks that what waits be sent."""

    engine: Engine
    with_rules: Callable[[Callable[[Rulebook], Any]], Any]
    now: Callable[[], datetime]
    deliver: Callable[[], object]

    def read(self, what: Callable[[Engine, Rulebook, datetime], Result]) -> Result:
        """What `what` returns for the rules and the time of now."""
        result: Result = self.with_rules(lambda book: what(self.engine, book, self.now()))
        return result


@dataclass(frozen=True, slots=True)
class Asked:
    """Someone who did something: in which workspace, whether in App Home, and how to tell them."""

    desk: Desk
    client: WebClient
    user: str
    team: str | None
    reply: Reply
    at_home: bool = False

    def clicked(self, book: Rulebook, flag: int, key: str = "") -> Clicked:
        """The click as those see it who decide about it."""
        return Clicked(key, flag, self.user, book.telling.admins)

    def recognise(self) -> None:
        """Find out by e-mail which rep this is, if we do not know.

        Only somebody of our own workspace: a shared channel lets in those of others, who may have
        any address.
        """
        if authority.reps_of(self.desk.engine, self.user):
            return
        try:
            found = self.client.users_info(user=self.user).get("user") or {}
        except Exception:  # then they stay unknown, and are told so
            return
        email = (found.get("profile") or {}).get("email")
        ours = found.get("team_id") == self.team and not found.get("deleted")
        if email and ours and not found.get("is_bot"):
            authority.recognise(self.desk.engine, self.user, email, self.desk.now())

    def answer(self, flag: int, key: str, given: Answer, note: str | None = None) -> None:
        """Answer a flag, and let it be seen."""
        done = self.desk.read(
            lambda engine, book, now: answering.answer(
                engine, book, self.clicked(book, flag, key), given, now, note
            )
        )
        self.done(flag, done.changed, done.said)

    def done(self, flag: int, changed: bool, said: str) -> None:
        """Let everyone see it, and whoever did it: in App Home, or beside the message."""
        log.info("a flag was answered", flag=flag, slack_user=self.user, changed=changed)
        if changed:
            self.desk.deliver()
        if self.at_home:
            self.show_home()
        else:
            self.reply.say("Done", said)

    def show_home(self) -> None:
        """Show them their accounts, their flags and their week in App Home."""
        reps = authority.reps_of(self.desk.engine, self.user)
        home = self.desk.read(lambda engine, book, now: lists.home(engine, reps, book, now))
        self.client.views_publish(user_id=self.user, view=views.home(home))


def asked(
    desk: Desk, client: WebClient, body: Mapping[str, Any], reply: Reply, at_home: bool
) -> Asked:
    """Whoever sent this."""
    team = (body.get("team") or {}).get("id")
    return Asked(desk, client, body["user"]["id"], team, reply, at_home)
