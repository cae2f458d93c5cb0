"""The windows that open in Slack and the App Home tab: pure functions to slack-sdk's View.

The `callback_id` of a modal is its `Action.id`; its inputs are `Field`s. `private` comes back with
the answers as the view's private_metadata: what the caller needs to find the message again.
"""

from collections.abc import Sequence
from datetime import date

from slack_sdk.models.blocks import Block, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from worker.core.cards import AccountCard, Choice, ContactChoice, Home, Told, Why
from worker.slack.actions import Action


def snooze(told: Told, private: str, today: date) -> View:
    """Asks for how long to be quiet: `SNOOZE_FOR`, `UNTIL` (a date after `today`), `NOTE`."""
    return _modal("Snooze", private, [], Action.SNOOZE)


def dismiss(told: Told, private: str) -> View:
    """Asks why this is not a risk: `REASON`, `NOTE`."""
    return _modal("Not a risk", private, [], Action.DISMISS)


def assign(told: Told, private: str, reps: Sequence[Choice]) -> View:
    """Asks who takes it over: `ASSIGNEE`, whose options carry `option_value(rep id)`, `NOTE`."""
    return _modal("Assign", private, [], Action.ASSIGN)


def fix_contact(told: Told, private: str, contacts: Sequence[ContactChoice]) -> View:
    """Asks what is wrong with whom: `CONTACT` (carrying `option_value`), `LEVEL`, `ROLE`, `LEFT`.

    The options of `LEVEL` and `ROLE` carry the values that `contact` events take.
    """
    return _modal("Fix contact", private, [], Action.FIX_CONTACT)


def why(said: Why) -> View:
    """The explanation of a flag; nothing to submit."""
    return _modal("Why?", "", [])


def account(card: AccountCard) -> View:
    """The account's card as a window; nothing to submit."""
    return _modal("Account", "", [])


def said(title: str, text: str) -> View:
    """A window with one paragraph: what was done, or why it cannot be."""
    return _modal(title, "", [SectionBlock(text=PlainTextObject(text=text))])


def home(home: Home) -> View:
    """The App Home tab of a rep."""
    return View(type="home", blocks=[])


def _modal(title: str, private: str, blocks: list[Block], action: Action | None = None) -> View:
    return View(
        type="modal",
        title=PlainTextObject(text=title),
        close=PlainTextObject(text="Cancel" if action else "Close"),
        submit=PlainTextObject(text=title) if action else None,
        callback_id=action.id if action else None,
        private_metadata=private,
        blocks=blocks,
    )
