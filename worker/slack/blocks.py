"""Pieces of Block Kit that keep Slack's limits, whatever the texts hold.

Slack refuses a message that breaks one of its limits, and an alert must never be lost to a long
name: so every text is escaped and fitted here, and nothing else makes blocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.blocks.block_elements import BlockElement, InteractiveElement

from worker.core.rules import Kind
from worker.slack.actions import Action, value

# Slack documents 150 for a header, 3,000 for a section, 75 for a button or an option, 50 blocks in
# a message and 100 in a view. It also refuses a message of long blocks with msg_blocks_too_long,
# from about 11,000 characters in all: undocumented, so we stay well below.
MAX_HEADER = HeaderBlock.text_max_length
MAX_SECTION = SectionBlock.text_max_length
MAX_CONTEXT = 1_000
MAX_LABEL = 75
MAX_ALL = 9_000
MAX_TEXT = 1_500

# Slack reads &, < and > as the start of mentions and links. The marks of bold, strike-through and
# code have no escape, so look-alikes stand for them.
_HARMLESS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "~": "∼", "`": "ˋ"})


@dataclass(frozen=True, slots=True)
class Message:
    """What `chat.postMessage` is given.

    `text` is what a notification shows, and what a screen reader says.
    """

    text: str
    blocks: Sequence[Block]


def fitted(text: str, limit: int) -> str:
    """The text escaped for Slack, in at most `limit` characters of the result.

    Counts as UTF-16 does, where an emoji is two: the strictest way in which Slack might count.
    """
    safe = [character.translate(_HARMLESS) for character in text[:limit]]
    sizes = [size(piece) for piece in safe]
    if sum(sizes) <= limit and len(text) <= limit:
        return "".join(safe)
    room = limit - 1
    kept = 0
    for each in sizes:
        room -= each
        if room < 0:
            break
        kept += 1
    return "".join(safe[:kept]).rstrip() + "…"


def size(text: str) -> int:
    """Characters of a text as UTF-16 counts them."""
    return len(text.encode("utf-16-le")) // 2


def escaped(link: str) -> str:
    """A link as Slack takes it: of what it reads as markup, a link can only hold this."""
    return link.replace("&", "&amp;")


def with_link(text: str, playbook: str | None) -> str:
    """A message's plain text, shortened if need be, and a link that is not."""
    return fitted(text, MAX_TEXT) + (f" Playbook: {escaped(playbook)}" if playbook else "")


def bold(text: str, limit: int = MAX_SECTION) -> str:
    """The text escaped, in bold; nothing at all of no text."""
    return f"*{fitted(text, limit - 2)}*" if text else ""


def header(text: str) -> HeaderBlock:
    """A title. Names like `:smile:` stay as they are."""
    return HeaderBlock(text=PlainTextObject(text=fitted(text, MAX_HEADER), emoji=False))


def section(
    text: str, label: str = "", limit: int = MAX_SECTION, beside: BlockElement | None = None
) -> SectionBlock:
    """A paragraph; `label` is markup that comes first, `beside` a button or menu next to it."""
    return SectionBlock(text=_text(label, text, limit), accessory=beside)


def context(text: str, label: str = "", limit: int = MAX_CONTEXT) -> ContextBlock:
    """A line in small grey letters."""
    return ContextBlock(elements=[_text(label, text, limit)])


def markup(text: str, beside: BlockElement | None = None) -> SectionBlock:
    """A paragraph of what is escaped and fitted already."""
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True), accessory=beside)


def _text(label: str, text: str, limit: int) -> MarkdownTextObject:
    # Verbatim: Slack makes no links, channels or mentions out of what only looks like them.
    return MarkdownTextObject(text=label + fitted(text, limit - size(label)), verbatim=True)


def bullets(texts: Iterable[str]) -> str:
    """The texts as a list."""
    return "\n".join(f"• {text}" for text in texts)


LABELS = {
    Action.ACKNOWLEDGE: "Acknowledge",
    Action.SNOOZE: "Snooze",
    Action.DISMISS: "Not a risk",
    Action.ASSIGN: "Assign",
    Action.FIX_CONTACT: "Fix contact",
    Action.WHY: "Why?",
    Action.ACCOUNT: "Show",
}
"""What is written on the buttons."""


def caption(action: Action, kind: Kind = Kind.RISK) -> str:
    """What is written on the button of an action; what is no risk is not dismissed as one."""
    growth = action is Action.DISMISS and kind is Kind.GROWTH
    return "No opportunity" if growth else LABELS[action]


def button(
    action: Action, subject: str | int, *, primary: bool = False, kind: Kind = Kind.RISK
) -> ButtonElement:
    """A button for an action on a flag, of a rule of some kind, or on an account."""
    return ButtonElement(
        text=PlainTextObject(text=caption(action, kind), emoji=False),
        action_id=action.id,
        value=value(action, subject),
        style="primary" if primary else None,
    )


def menu(
    subject: str | int, actions: Sequence[Action], kind: Kind = Kind.RISK
) -> OverflowMenuElement:
    """Two to five actions behind three dots."""
    return OverflowMenuElement(
        action_id=Action.MORE.id,
        options=[
            Option(
                value=value(action, subject),
                text=PlainTextObject(text=caption(action, kind), emoji=False),
            )
            for action in actions
        ],
    )


def first_that_fits(layouts: Iterable[Sequence[Block]]) -> Sequence[Block]:
    """The first of these layouts, from the roomiest to the tightest, that Slack takes whole."""
    for blocks in layouts:
        if sum(map(_length, (block.to_dict() for block in blocks))) <= MAX_ALL:
            break
    return blocks


def _length(part: object) -> int:
    """Characters of all texts in a part of a message."""
    if isinstance(part, dict):
        return sum(size(v) if k == "text" and isinstance(v, str) else _length(v)
                   for k, v in part.items())  # fmt: skip
    return sum(map(_length, part)) if isinstance(part, list) else 0


def row(elements: Sequence[InteractiveElement]) -> ActionsBlock:
    """Buttons side by side; on a phone they wrap."""
    return ActionsBlock(elements=list(elements))
