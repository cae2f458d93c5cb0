"""An alert as a Slack message: Block Kit, the plain text for notifications, and its metadata.

Slack refuses a message that breaks one of its limits, and an alert must never be lost to a long
name, so every text is fitted to its block's limit here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.metadata import Metadata

from worker.core.alerts import Alert
from worker.core.cards import AccountCard, Card, Digest, DigestLine, Told, Weekly
from worker.slack.wording import Words, words

EVENT_TYPE = "tiewatch_alert"

# Slack's own limits are 150 for a header, 3,000 for a section and about 12,000 for all blocks.
MAX_HEADER = HeaderBlock.text_max_length
MAX_SECTION = SectionBlock.text_max_length
MAX_CONTEXT = 1_000
MAX_TEXT = 600
MAX_BLOCKS = 50

# Slack reads &, < and > as the start of mentions and links. The marks of bold, strike-through and
# code have no escape, so look-alikes stand for them.
_HARMLESS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "~": "∼", "`": "ˋ"})


@dataclass(frozen=True, slots=True)
class Message:
    """What `chat.postMessage` is given; `text` is shown where blocks are not."""

    text: str
    blocks: Sequence[Block]
    metadata: Metadata | None = None


def message(alert: Alert, alert_id: int) -> Message:
    """The alert as its rep reads it. `alert_id`, its outbox row, travels as the metadata."""
    said = words(alert)
    return Message(
        text=fitted(said.brief, MAX_TEXT) + _bare_link(said.playbook),
        blocks=list(_blocks(said)),
        metadata=Metadata(event_type=EVENT_TYPE, event_payload={"alert_id": alert_id}),
    )


def card(card: Card) -> Message:
    """The first message of a conversation: its flags as they stand now, worst first."""
    said = [words(told.alert) for told in card.told]
    return Message(
        text=fitted(" ".join(each.brief for each in said), MAX_TEXT),
        blocks=[block for each in said for block in _blocks(each)][:MAX_BLOCKS],
    )


def reply(told: Sequence[Told]) -> Message:
    """What happened since, in a line each: the answer in a conversation's thread."""
    said = "\n".join(words(each.alert).headline for each in told)
    return Message(text=fitted(said, MAX_TEXT), blocks=[_section(said)])


def note(alert: Alert) -> Message:
    """A word to the admins, of no flag: nothing to press."""
    said = words(alert)
    return Message(text=fitted(said.brief, MAX_TEXT), blocks=list(_blocks(said)))


def digest(digest: Digest) -> Message:
    """Many flags in one message, in the order given."""
    return _listed(f"{len(digest.lines)} flags", digest.lines)


def weekly(weekly: Weekly) -> Message:
    """A manager's week."""
    said = f"{weekly.new} new, {weekly.resolved} resolved"
    return _listed(said, weekly.unacknowledged)


def mine(lines: Sequence[DigestLine], today: date) -> Message:
    """One's open flags, as `/tiewatch mine` answers."""
    return _listed(f"{len(lines)} open flags", lines)


def account(card: AccountCard) -> Message:
    """An account's ties, last contacts and open flags, as `/tiewatch ACCOUNT` answers."""
    return _listed(card.account_name or card.account, card.flags)


def _listed(title: str, lines: Sequence[DigestLine]) -> Message:
    said = [f"{line.account_name or line.account}: {line.title}" for line in lines]
    text = "\n".join((title, *said))
    return Message(text=fitted(title, MAX_TEXT), blocks=[_section(text)])


def fitted(text: str, limit: int) -> str:
    """The text escaped for Slack, in at most `limit` characters of the result.

    Counts as UTF-16 does, where an emoji is two: the strictest way in which Slack might count.
    """
    safe = [character.translate(_HARMLESS) for character in text[:limit]]
    sizes = [_size(piece) for piece in safe]
    if sum(sizes) <= limit and len(text) <= limit:
        return "".join(safe)
    room = limit - 1
    kept = 0
    for size in sizes:
        room -= size
        if room < 0:
            break
        kept += 1
    return "".join(safe[:kept]).rstrip() + "…"


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _blocks(said: Words) -> Iterator[Block]:
    if said.open_flags == ():
        yield _section(said.brief)
        return
    yield HeaderBlock(text=PlainTextObject(text=fitted(said.headline, MAX_HEADER), emoji=False))
    yield _context(said.account, label=f"*{said.severity}* · " if said.severity else "")
    if said.open_flags:
        yield _section(_list(said.open_flags), label="*Open:*\n")
    if said.why or said.who:
        yield _section("\n".join(filter(None, (_list(said.why), *said.who))))
    if said.advice or said.playbook:
        yield _to_do(said.advice, said.playbook)
    if said.footer:
        yield _context(said.footer)


def _to_do(advice: str | None, playbook: str | None) -> SectionBlock:
    """The advice, shortened if need be, and a link to the playbook, which is never cut."""
    link = f"<{_escaped(playbook)}|Playbook>" if playbook else ""
    label, space = ("*Do:* ", "  " if link else "") if advice else ("", "")
    room = MAX_SECTION - len(label + space) - _size(link)
    said = f"{label}{fitted(advice or '', room)}{space}{link}"
    return SectionBlock(text=MarkdownTextObject(text=said, verbatim=True))


def _bare_link(playbook: str | None) -> str:
    return f" Playbook: {_escaped(playbook)}" if playbook else ""


def _escaped(link: str) -> str:
    # Of what Slack reads as markup, a link can only hold this; other escapes would change it.
    return link.replace("&", "&amp;")


def _list(texts: Sequence[str]) -> str:
    return "\n".join(f"• {text}" for text in texts)


def _section(text: str, label: str = "") -> SectionBlock:
    return SectionBlock(text=_text(label, text, MAX_SECTION))


def _context(text: str, label: str = "") -> ContextBlock:
    return ContextBlock(elements=[_text(label, text, MAX_CONTEXT)])


def _text(label: str, text: str, limit: int) -> MarkdownTextObject:
    # Verbatim: Slack makes no links, channels or mentions out of what only looks like them.
    return MarkdownTextObject(text=label + fitted(text, limit - len(label)), verbatim=True)
