"""The windows that ask for more: opened by a button, and acted on when they are submitted."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from slack_sdk import WebClient

from worker.capture.asking import TITLES, Asked, Desk, asked
from worker.capture.replies import Private, Reply, told
from worker.capture.typed import kept
from worker.core.answers import (
    Answer,
    Assign,
    Dismiss,
    NotARisk,
    Refused,
    Snooze,
    SnoozeFor,
    check_until,
)
from worker.core.cards import ContactChoice
from worker.slack import forms
from worker.slack.actions import LEFT, Action, Field, Pressed, chosen
from worker.slack_actions import authority, contacts, reading


def ask(who: Asked, what: Pressed, response_url: str | None) -> None:
    """Open the window that asks for the rest, if they may answer at all."""
    desk, flag = who.desk, what.flag
    desk.read(lambda engine, book, _: authority.check(engine, who.clicked(book, flag)))
    private = Private(flag, response_url, who.at_home).encoded()
    of = desk.read(lambda engine, book, now: reading.told(engine, flag, book, now))
    match what.action:
        case Action.SNOOZE:
            view = forms.snooze(of, private, of.alert.on)
        case Action.DISMISS:
            view = forms.dismiss(of, private)
        case Action.ASSIGN:
            view = forms.assign(of, private, reading.rep_choices(desk.engine))
        case Action.FIX_CONTACT:
            view = forms.fix_contact(of, private, _contacts(desk, flag))
        case _:
            return
    who.reply.open(view)


def suggested(desk: Desk, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options that fit what somebody types into a menu of a window; none for a stranger."""
    if not authority.reps_of(desk.engine, body["user"]["id"]):
        return []
    typed = str(body.get("value") or "")
    match body["action_id"]:
        case Field.ASSIGNEE:
            found = forms.reps_fitting(reading.rep_choices(desk.engine), typed)
        case _:
            private = msgspec.json.decode(body["view"]["private_metadata"], type=Private)
            found = forms.contacts_fitting(_contacts(desk, private.flag), typed)
    return [option.to_dict() for option in found]


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


def submitted(desk: Desk, client: WebClient, body: Mapping[str, Any], first: bool = True) -> None:
    """Act on a submitted window, the `first` time or once more.

    Raises:
        IsBusy: it cannot be done yet.
    """
    view = body["view"]
    action = Action(view["callback_id"].removeprefix("tiewatch."))
    private = msgspec.json.decode(view["private_metadata"], type=Private)
    reply = Reply.to(client, body, private.response_url)
    who = asked(desk, client, body, reply, private.at_home)
    key = key_of(view)
    with told(reply, TITLES[action], who.user, first):
        who.recognise()
        if action is Action.FIX_CONTACT:
            _fix(who, private.flag, key, view)
        else:
            note = kept(_field(view, Field.NOTE).get("value") or "") or None
            who.answer(private.flag, key, _given(desk, action, view), note)


def key_of(view: Mapping[str, Any]) -> str:
    """What tells this window from any other; it is the same when it is submitted twice."""
    return f"window/{view['id']}"


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


def _fix(who: Asked, flag: int, key: str, view: Mapping[str, Any]) -> None:
    ids = [one.id for one in _contacts(who.desk, flag)]
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
    done = who.desk.read(
        lambda engine, book, now: contacts.fix(engine, book, who.clicked(book, flag, key), fix, now)
    )
    who.done(flag, done.changed, done.said)


def _contacts(desk: Desk, flag: int) -> list[ContactChoice]:
    return desk.read(lambda engine, book, now: contacts.contacts_of(engine, flag, book, now))


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
