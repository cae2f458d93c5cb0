"""What tiewatch says in Slack: from an alert's structs to Block Kit, and nothing else.

A conversation begins with a card, which is edited as its flags move, and goes on in short replies.
Each kind of message is made by a function of this module, whichever module it is written in.
"""

from collections.abc import Sequence

from worker.core.alerts import Alert
from worker.core.cards import Told
from worker.slack.account import account
from worker.slack.blocks import (
    MAX_SECTION,
    MAX_TEXT,
    Message,
    bullets,
    context,
    fitted,
    header,
    section,
    with_link,
)
from worker.slack.card import as_it_stands, card
from worker.slack.flag import ROOMY, to_do
from worker.slack.lists import digest, mine, weekly
from worker.slack.phrases import mark
from worker.slack.wording import happened, words

__all__ = ["Message", "account", "card", "digest", "hello", "mine", "note", "reply", "weekly"]

MOST_REPLIES = 10


def reply(told: Sequence[Told]) -> Message:
    """What happened since, in a line each: the answer in a conversation's thread."""
    moves = [
        f"{mark(each.alert.severity, each.state, each.alert.kind)} {happened(each)}"
        for each in map(as_it_stands, told[:MOST_REPLIES])
    ]
    if len(told) > MOST_REPLIES:
        moves.append(f"and {len(told) - MOST_REPLIES} more")
    said = "\n".join(moves)
    return Message(text=fitted(said, MAX_TEXT), blocks=[section(said)])


def note(alert: Alert) -> Message:
    """A word to those who run tiewatch or edit its rules: there is nothing to press."""
    said = words(alert)
    parts = (bullets(said.why), bullets(said.who))
    return Message(
        text=with_link(said.whole(), said.playbook),
        blocks=[
            header(f"🛠️ {said.headline}"),
            context(said.account),
            *(section(part, limit=ROOMY) for part in parts if part),
            *to_do(said, MAX_SECTION),
        ],
    )


def hello() -> Message:
    """A first word in a channel, to see that it arrives."""
    said = "👋 tiewatch can post here. Alerts of accounts without an owner in Slack come here too."
    return Message(text=said, blocks=[section(said)])
