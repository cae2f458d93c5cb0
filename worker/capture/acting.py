"""What is done about each thing that comes from Slack: a button, a command, a look at App Home.

It is answered at the same time, so there is no hurry but that of the person who waits.
"""

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from worker.capture.asking import TITLES, Asked, Desk, asked
from worker.capture.replies import Reply, told
from worker.capture.typed import words_of
from worker.capture.windows import ask
from worker.core.answers import Acknowledge, Refused
from worker.core.cards import AccountCard
from worker.slack import actions, message, views
from worker.slack.actions import Action
from worker.slack_actions import authority, lists, reading

USAGE = (
    "/tiewatch mine lists the flags that are yours to answer. "
    "/tiewatch ACCOUNT shows an account, by its id or its name."
)


def changes_something(action: Mapping[str, Any]) -> bool:
    """Whether a button or menu entry does something by itself: others show or ask for something."""
    return _carried(action).startswith(actions.value(Action.ACKNOWLEDGE, ""))


def _carried(action: Mapping[str, Any]) -> str:
    return action.get("value") or (action.get("selected_option") or {}).get("value") or ""


def pressed(
    desk: Desk,
    client: WebClient,
    body: Mapping[str, Any],
    action: Mapping[str, Any],
    first: bool = True,
) -> None:
    """Act on a button or menu entry, the `first` time or once more.

    Raises:
        IsBusy: it cannot be done yet.
    """
    try:
        what = actions.pressed(_carried(action))
    except ValueError:  # a link, or a button of another version
        return
    at_home = (body.get("view") or {}).get("type") == "home"
    who = asked(desk, client, body, Reply.to(client, body), at_home)
    with told(who.reply, TITLES[what.action], who.user, first):
        who.recognise()
        match what.action:
            case Action.ACCOUNT:
                who.reply.open(views.account(_account(who, what.subject)))
            case Action.WHY:
                _explain(who, what.flag)
            case Action.ACKNOWLEDGE:
                who.answer(what.flag, key_of(body, action), Acknowledge())
            case _:
                ask(who, what, body.get("response_url"))


def key_of(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """What tells this click from any other; it is the same when Slack repeats it."""
    where = body.get("container") or {}
    place = where.get("message_ts") or where.get("view_id") or ""
    return f"click/{where.get('channel_id', '')}/{place}/{action.get('action_ts', '')}"


def commanded(desk: Desk, client: WebClient, command: Mapping[str, Any]) -> None:
    """Act on `/tiewatch`."""
    reply = Reply(client, command.get("trigger_id"), command["response_url"])
    who = Asked(desk, client, command["user_id"], command.get("team_id"), reply)
    words = words_of(str(command.get("text") or ""))
    with told(reply, "tiewatch", who.user):
        if words in ("", "help"):
            raise Refused(USAGE)
        who.recognise()
        if words == "mine":
            reps = authority.require_rep(desk.engine, who.user)
            found = desk.read(lambda engine, book, now: lists.mine(engine, reps, book, now))
            reply.show(message.mine(found, desk.now().date()))
        else:
            reply.show(message.account(_account(who, words)))


def _account(who: Asked, words: str) -> AccountCard:
    authority.require_rep(who.desk.engine, who.user)
    return who.desk.read(lambda engine, book, now: reading.account_card(engine, words, book, now))


def _explain(who: Asked, flag: int) -> None:
    """Open a window at once, which Slack gives three seconds for, and fill it when we know."""
    authority.require_rep(who.desk.engine, who.user)
    window = who.reply.open(views.said("Why?", "Looking at what is known…"))
    if window is None:
        return
    try:
        why = who.desk.read(lambda engine, book, now: reading.why(engine, flag, book, now))
        view = views.why(why)
    except Refused as refused:
        view = views.said("Why?", str(refused))
    who.client.views_update(view_id=window, view=view)


def show_home(desk: Desk, client: WebClient, user: str, team: str | None) -> None:
    """Show a rep App Home, which they have just opened."""
    who = Asked(desk, client, user, team, Reply(client, None), at_home=True)
    who.recognise()
    who.show_home()
