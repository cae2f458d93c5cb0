"""What is done about each thing that comes from Slack: a button, a submitted window, a command.

It was acknowledged before, so there is no hurry but that of the person who waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
import structlog
from slack_sdk import WebClient
from sqlalchemy import Engine

from worker.capture.replies import Private, Reply, told
from worker.core.answers import (
    Acknowledge,
    Answer,
    Assign,
    Dismiss,
    NotARisk,
    Refused,
    Snooze,
    SnoozeFor,
    check_until,
)
from worker.core.cards import AccountCard, ContactChoice
from worker.evaluation import Rulebook
from worker.slack import actions, message, views
from worker.slack.actions import LEFT, Action, Field, Pressed, chosen
from worker.slack_actions import answering, authority, contacts, reading
from worker.slack_actions.authority import Clicked

Result = TypeVar("Result")

log = structlog.get_logger("tiewatch")

USAGE = (
    "/tiewatch mine lists the flags that are yours to answer. "
    "/tiewatch ACCOUNT shows an account, by its id or its name."
)

_TITLES = {
    Action.ACKNOWLEDGE: "Acknowledge",
    Action.SNOOZE: "Snooze",
    Action.DISMISS: "Not a risk",
    Action.ASSIGN: "Assign",
    Action.FIX_CONTACT: "Fix contact",
    Action.WHY: "Why?",
    Action.ACCOUNT: "Account",
    Action.MORE: "tiewatch",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What is worked with. `with_rules` calls with the rules in force, again if they are others by
    then; `deliver` asks that what waits be sent."""

    engine: Engine
    with_rules: Callable[[Callable[[Rulebook], Any]], Any]
    now: Callable[[], datetime]
    deliver: Callable[[], None]

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


def pressed(
    desk: Desk, client: WebClient, body: Mapping[str, Any], action: Mapping[str, Any]
) -> None:
    """Act on a button or menu entry."""
    carried = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
    try:
        what = actions.pressed(carried)
    except ValueError:  # a link, or a button of another version
        return
    at_home = (body.get("view") or {}).get("type") == "home"
    asked = _asked(desk, client, body, Reply.to(client, body), at_home)
    with told(asked.reply, _TITLES[what.action], asked.user):
        asked.recognise()
        match what.action:
            case Action.ACCOUNT:
                asked.reply.open(views.account(_account(asked, what.subject)))
            case Action.WHY:
                _explain(asked, what.flag)
            case Action.ACKNOWLEDGE:
                _answer(asked, what.flag, _key(body, action), Acknowledge())
            case _:
                _ask(asked, what, body.get("response_url"))


def _asked(
    desk: Desk, client: WebClient, body: Mapping[str, Any], reply: Reply, at_home: bool
) -> Asked:
    team = (body.get("team") or {}).get("id")
    return Asked(desk, client, body["user"]["id"], team, reply, at_home)


def _key(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """What tells this click from any other; it is the same when Slack repeats it."""
    where = body.get("container") or {}
    place = where.get("message_ts") or where.get("view_id") or ""
    return f"click/{where.get('channel_id', '')}/{place}/{action.get('action_ts', '')}"


def _ask(asked: Asked, what: Pressed, response_url: str | None) -> None:
    """Open the window that asks for the rest, if they may answer at all."""
    desk, flag = asked.desk, what.flag
    desk.read(lambda engine, book, _: authority.check(engine, asked.clicked(book, flag)))
    private = Private(flag, response_url, asked.at_home).encoded()
    of = desk.read(lambda engine, book, now: reading.told(engine, flag, book, now))
    match what.action:
        case Action.SNOOZE:
            view = views.snooze(of, private, of.alert.on)
        case Action.DISMISS:
            view = views.dismiss(of, private)
        case Action.ASSIGN:
            view = views.assign(of, private, reading.rep_choices(desk.engine))
        case Action.FIX_CONTACT:
            view = views.fix_contact(of, private, _contacts(asked, flag))
        case _:
            return
    asked.reply.open(view)


def problems(desk: Desk, body: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a submitted window, by field: shown in it, so that it can be put right."""
    view = body["view"]
    if view.get("callback_id") != Action.SNOOZE.id:
        return {}
    if _selected(view, Field.SNOOZE_FOR) != SnoozeFor.DATE:
        return {}
    try:
        check_until(_date(view), desk.now().date())
    except Refused as refused:
        return {Field.UNTIL: str(refused)}
    return {}


def submitted(desk: Desk, client: WebClient, body: Mapping[str, Any]) -> None:
    """Act on a submitted window."""
    view = body["view"]
    action = Action(view["callback_id"].removeprefix("tiewatch."))
    private = msgspec.json.decode(view["private_metadata"], type=Private)
    reply = Reply.to(client, body, private.response_url)
    asked = _asked(desk, client, body, reply, private.at_home)
    key = f"window/{view['id']}"
    with told(reply, _TITLES[action], asked.user):
        asked.recognise()
        if action is Action.FIX_CONTACT:
            _fix(asked, private.flag, key, view)
        else:
            note = _field(view, Field.NOTE).get("value")
            _answer(asked, private.flag, key, _given(desk, action, view), note)


def _given(desk: Desk, action: Action, view: Mapping[str, Any]) -> Answer:
    match action:
        case Action.SNOOZE:
            return Snooze(SnoozeFor(_selected(view, Field.SNOOZE_FOR) or ""), _date(view))
        case Action.DISMISS:
            return Dismiss(NotARisk(_selected(view, Field.REASON) or ""))
        case _:
            ids = [one.id for one in reading.rep_choices(desk.engine)]
            rep = chosen(_selected(view, Field.ASSIGNEE) or "", ids)
            if rep is None:
                raise Refused("There is no such rep any more.")
            return Assign(rep)


def _answer(asked: Asked, flag: int, key: str, given: Answer, note: str | None = None) -> None:
    done = asked.desk.read(
        lambda engine, book, now: answering.answer(
            engine, book, asked.clicked(book, flag, key), given, now, note
        )
    )
    _done(asked, flag, done.changed, done.said)


def _fix(asked: Asked, flag: int, key: str, view: Mapping[str, Any]) -> None:
    ids = [one.id for one in _contacts(asked, flag)]
    contact = chosen(_selected(view, Field.CONTACT) or "", ids)
    if contact is None:
        raise Refused("There is no such contact any more.")
    boxes = _field(view, Field.LEFT).get("selected_options") or []
    fix = contacts.Fix(
        contact,
        level=_selected(view, Field.LEVEL),
        role=_selected(view, Field.ROLE),
        left=True if LEFT in {box["value"] for box in boxes} else None,
    )
    done = asked.desk.read(
        lambda engine, book, now: contacts.fix(
            engine, book, asked.clicked(book, flag, key), fix, now
        )
    )
    _done(asked, flag, done.changed, done.said)


def _done(asked: Asked, flag: int, changed: bool, said: str) -> None:
    """Let everyone see it, and whoever did it: in App Home, which is shown anew, or beside."""
    log.info("a flag was answered", flag=flag, slack_user=asked.user, changed=changed)
    if changed:
        asked.desk.deliver()
    if asked.at_home:
        _show_home(asked)
    else:
        asked.reply.say("Done", said)


def _contacts(asked: Asked, flag: int) -> list[ContactChoice]:
    return asked.desk.read(lambda engine, book, now: contacts.contacts_of(engine, flag, book, now))


def commanded(desk: Desk, client: WebClient, command: Mapping[str, Any]) -> None:
    """Act on `/tiewatch`."""
    reply = Reply(client, command.get("trigger_id"), command["response_url"])
    asked = Asked(desk, client, command["user_id"], command.get("team_id"), reply)
    words = _as_typed(str(command.get("text") or "")).strip()
    with told(reply, "tiewatch", asked.user):
        if words in ("", "help"):
            raise Refused(USAGE)
        asked.recognise()
        if words == "mine":
            reps = authority.require_rep(desk.engine, asked.user)
            found = desk.read(lambda engine, book, now: reading.mine(engine, reps, book, now))
            reply.show(message.mine(found, desk.now().date()))
        else:
            reply.show(message.account(_account(asked, words)))


def _as_typed(text: str) -> str:
    """The text of a command as it was typed: Slack sends these three characters escaped."""
    for escaped, typed in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, typed)
    return text


def _account(asked: Asked, words: str) -> AccountCard:
    authority.require_rep(asked.desk.engine, asked.user)
    return asked.desk.read(lambda engine, book, now: reading.account_card(engine, words, book, now))


def _explain(asked: Asked, flag: int) -> None:
    """Open a window at once, which Slack gives three seconds for, and fill it when we know."""
    authority.require_rep(asked.desk.engine, asked.user)
    window = asked.reply.open(views.said("Why?", "Looking at what is known…"))
    if window is None:
        return
    try:
        why = asked.desk.read(lambda engine, book, now: reading.why(engine, flag, book, now))
        view = views.why(why)
    except Refused as refused:
        view = views.said("Why?", str(refused))
    asked.client.views_update(view_id=window, view=view)


def show_home(desk: Desk, client: WebClient, user: str, team: str | None) -> None:
    """Show a rep their accounts, their flags and their week in App Home."""
    asked = Asked(desk, client, user, team, Reply(client, None), at_home=True)
    asked.recognise()
    _show_home(asked)


def _show_home(asked: Asked) -> None:
    reps = authority.reps_of(asked.desk.engine, asked.user)
    home = asked.desk.read(lambda engine, book, now: reading.home(engine, reps, book, now))
    asked.client.views_publish(user_id=asked.user, view=views.home(home))


def _field(view: Mapping[str, Any], field: Field) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    found: Mapping[str, Any] = (values.get(field) or {}).get(field) or {}
    return found


def _selected(view: Mapping[str, Any], field: Field) -> str | None:
    value: str | None = (_field(view, field).get("selected_option") or {}).get("value")
    return value


def _date(view: Mapping[str, Any]) -> date | None:
    given = _field(view, Field.UNTIL).get("selected_date")
    return date.fromisoformat(given) if given else None
