"""The windows in Slack that only show something, and the App Home tab: pure functions to
slack-sdk's View. Those that ask are in forms.py.
"""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from worker.core.cards import AccountCard, Home, Why
from worker.slack import choices
from worker.slack.account import account_blocks
from worker.slack.blocks import MAX_SECTION, bold, bullets, context, fitted, markup, section
from worker.slack.explained import conditions
from worker.slack.home import home_blocks
from worker.slack.phrases import day, joined, line, lines, named, sentence, titled
from worker.slack.wording import clears

MAX_TITLE = View.title_max_length


def why(said: Why) -> View:
    """The explanation of a flag; nothing to submit."""
    name = named(said.account_name, said.account)
    blocks: list[Block] = [
        markup(f"{bold(titled(said.title), 500)}\n{fitted(name, 200)}"),
        _paragraph("Conditions", "\n".join(conditions(said.conditions))),
    ]
    if said.except_when is not None:
        blocks.append(_paragraph("Except when", "\n".join(conditions(said.except_when))))
    texts = {
        "Who": bullets(lines(said.who)),
        "Flag": _sentence(said.standing),
        f"{clears(said.kind).capitalize()} when": _sentence(said.clears),
        "What lies ahead": _sentence(said.ahead),
    }
    blocks += [_paragraph(label, text) for label, text in texts.items() if text]
    blocks.append(context(joined(f"Rule {line(said.rule)}", f"as of {day(said.on)}")))
    return _window("Why?", blocks)


def account(card: AccountCard) -> View:
    """The account's card as a window; nothing to submit."""
    name = markup(bold(named(card.account.name, card.account.id), 200))
    return _window("Account", [name, *account_blocks(card)])


def said(title: str, text: str) -> View:
    """A window with one paragraph: what was done, or why it cannot be."""
    return _window(line(title) or "tiewatch", [section(line(text, 1_000) or "Nothing to say.")])


def home(home: Home) -> View:
    """The App Home tab of a rep."""
    return View(type="home", blocks=list(home_blocks(home)))


def _sentence(text: str | None) -> str:
    """The text as a sentence of its own; nothing of none."""
    said = sentence(line(text or ""))
    return said[:1].upper() + said[1:]


def _paragraph(label: str, text: str) -> Block:
    return section(text, label=f"*{label}*\n", limit=MAX_SECTION)


def _window(title: str, blocks: Sequence[Block]) -> View:
    return View(
        type="modal",
        title=choices.plain(title, MAX_TITLE),
        close=choices.plain("Close", MAX_TITLE),
        blocks=blocks,
    )
