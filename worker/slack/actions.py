"""What can be done in Slack, by the ids that Slack sends back: shared by layout and by acting.

A button or menu entry carries one value that says everything: `snooze/12` is the action and the
flag. So what comes back is read in one place, whichever element it came from.
"""

from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from worker.core.answers import NotARisk, SnoozeFor

__all__ = [
    "LEFT",
    "PATTERN",
    "Action",
    "Field",
    "NotARisk",
    "Pressed",
    "SnoozeFor",
    "chosen",
    "option_value",
    "pressed",
    "value",
]

PATTERN = r"^tiewatch\."
"""Every `action_id` and `callback_id` of ours matches this."""


class Action(StrEnum):
    """What a rep can do; the value is the `action_id` of its button, after `tiewatch.`.

    `MORE` is a menu whose entries' values name one of the others. `ACCOUNT` shows the account's
    card, and its value is `account/<account>`; the others are about a flag.
    """

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    DISMISS = "not_a_risk"
    ASSIGN = "assign"
    FIX_CONTACT = "fix_contact"
    WHY = "why"
    MORE = "more"
    ACCOUNT = "account"

    @property
    def id(self) -> str:
        """The `action_id` of its element, and the `callback_id` of its modal if it has one."""
        return f"tiewatch.{self}"


class Field(StrEnum):
    """The inputs of the modals: both the `block_id` and the `action_id` of each.

    A submitted view has the answers at `state.values[field][field]`.
    """

    SNOOZE_FOR = "snooze_for"
    UNTIL = "until"
    REASON = "reason"
    NOTE = "note"
    ASSIGNEE = "assignee"
    CONTACT = "contact"
    LEVEL = "level"
    ROLE = "role"
    LEFT = "left"


LEFT = "left"
"""The one option of `Field.LEFT`, a checkbox."""


class Pressed(NamedTuple):
    """A button or menu entry that was pressed: what to do, with which flag or account."""

    action: Action
    subject: str

    @property
    def flag(self) -> int:
        """The flag's id.

        Raises:
            ValueError: it is of no flag.
        """
        if not (self.subject.isascii() and self.subject.isdecimal()):
            raise ValueError(f"{self.action} names no flag: {self.subject[:50]!r}")
        return int(self.subject)


def value(action: Action, subject: str | int) -> str:
    """What a button or menu entry carries for this action on a flag or account."""
    return f"{action}/{subject}"


def pressed(carried: str) -> Pressed:
    """What a button or menu entry with this value asks for.

    Raises:
        ValueError: the value is none of ours.
    """
    name, slash, subject = carried.partition("/")
    if not slash or not subject or name not in list(Action):
        raise ValueError(f"not a value of a tiewatch button: {carried[:50]!r}")
    return Pressed(Action(name), subject)


_LONGEST_VALUE = 150
"""Characters that Slack allows the value of an option; ids of ours may be longer."""


def option_value(id_: str) -> str:
    """What an option carries for a rep's or contact's id: the id, or its digest.

    A digest stands for an id that is long, or that Slack might change on the way.
    """
    short = len(id_.encode("utf-16-le")) // 2 <= _LONGEST_VALUE and id_.isprintable()
    if short and id_ == id_.strip() and not id_.startswith(_DIGEST):
        return id_
    return _DIGEST + sha256(id_.encode()).hexdigest()


_DIGEST = "sha256:"


def chosen(carried: str, ids: Iterable[str]) -> str | None:
    """Which of these ids the option with this value stands for, if any."""
    return next((id_ for id_ in ids if option_value(id_) == carried), None)
