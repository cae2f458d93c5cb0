"""The windows in Slack that ask for something: pure functions to slack-sdk's View.

The `callback_id` of one is its `Action.id`; its inputs are `Field`s. `private` comes back with the
answers as the view's private_metadata: what the caller needs to find the message again.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    DatePickerElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
)
from slack_sdk.models.views import View

from worker.core.answers import DISMISSED_FOR, NotARisk, SnoozeFor
from worker.core.cards import Choice, ContactChoice, Told
from worker.core.rules import Kind
from worker.core.titles import Level
from worker.slack import choices
from worker.slack.actions import LEFT, Action, Field, option_value
from worker.slack.blocks import bold, caption, fitted, markup
from worker.slack.phrases import MAX_NAME, day, joined, line, mark, named, titled
from worker.slack.views import MAX_TITLE, said
from worker.slack.wording import NOT_A_RISK

LONGEST_NOTE = 500

_LEVELS: dict[str, str] = {
    Level.C_LEVEL: "C level",
    Level.VP: "Vice president",
    Level.DIRECTOR: "Director",
    Level.MANAGER: "Manager",
    Level.STAFF: "Staff",
}
_ROLES = {
    "user": "User",
    "champion": "Champion",
    "admin": "Admin",
    "economic_buyer": "Economic buyer",
    "other": "Other",
}


def snooze(told: Told, private: str, today: date) -> View:
    """Asks for how long to be quiet: `SNOOZE_FOR`, `UNTIL` (a date after `today`), `NOTE`."""
    spans = [choices.option(each) for each in _spans(told, today)]
    tomorrow = today + timedelta(days=1)
    return _form(
        Action.SNOOZE,
        "Snooze",
        private,
        [
            _about(told),
            _input(
                Field.SNOOZE_FOR,
                "Be quiet about this for",
                RadioButtonsElement(
                    action_id=Field.SNOOZE_FOR, options=spans, initial_option=spans[1]
                ),
            ),
            _input(
                Field.UNTIL,
                "Date",
                DatePickerElement(
                    action_id=Field.UNTIL, placeholder=choices.plain(f"{day(tomorrow)} or later")
                ),
                hint="Only for 'Until a date'",
                optional=True,
            ),
            _note(),
        ],
    )


def _spans(told: Told, today: date) -> Iterator[choices.Choice]:
    renews = told.alert.renewal_date
    week, tomorrow = today + timedelta(days=7), today + timedelta(days=1)
    yield choices.Choice(SnoozeFor.DAY, "1 day", f"until {day(tomorrow)}")
    yield choices.Choice(SnoozeFor.WEEK, "1 week", f"until {day(week)}")
    if renews is not None and renews > today:
        yield choices.Choice(SnoozeFor.RENEWAL, "Until the renewal", day(renews))
    yield choices.Choice(
        SnoozeFor.EXEC_CONTACT,
        "Until the next exec contact",
        "until one of their executives is met, called or written to",
    )
    yield choices.Choice(SnoozeFor.DATE, "Until a date", "the one below")


def dismiss(told: Told, private: str) -> View:
    """Asks why this is not a risk, or not a chance: `REASON`, `NOTE`."""
    growth = told.alert.kind is Kind.GROWTH
    reasons = [
        choices.option(choices.Choice(reason, NOT_A_RISK[reason].capitalize()))
        for reason in NotARisk
    ]
    return _form(
        Action.DISMISS,
        caption(Action.DISMISS, told.alert.kind),
        private,
        [
            _about(told),
            _input(
                Field.REASON,
                "Why is it no opportunity?" if growth else "Why is it no risk?",
                RadioButtonsElement(action_id=Field.REASON, options=reasons),
                hint=(
                    f"It stays quiet for {DISMISSED_FOR.days} days, unless the facts "
                    f"{'become materially stronger' if growth else 'get materially worse'}. "
                    "Your reason counts in how the rule is judged."
                ),
            ),
            _note(),
        ],
    )


def assign(told: Told, private: str, reps: Sequence[Choice]) -> View:
    """Asks who takes it over: `ASSIGNEE`, whose options carry `option_value(rep id)`, `NOTE`."""
    if not reps:
        return said("Assign", "There is nobody to assign this to: no rep is known yet.")
    known = _of_reps(reps)
    return _form(
        Action.ASSIGN,
        "Assign",
        private,
        [
            _about(told),
            _input(
                Field.ASSIGNEE,
                "Who takes it over?",
                choices.select(Field.ASSIGNEE, known, "A rep"),
                hint="They are told, and it is theirs to acknowledge.",
            ),
            _note(),
        ],
    )


def fix_contact(told: Told, private: str, contacts: Sequence[ContactChoice]) -> View:
    """Asks what is wrong with whom: `CONTACT` (carrying `option_value`), `LEVEL`, `ROLE`, `LEFT`.

    The options of `LEVEL` and `ROLE` carry the values that `contact` events take.
    """
    if not contacts:
        return said("Fix contact", "No contact of this account is known yet.")
    known = _of_contacts(contacts)
    left = choices.option(choices.Choice(LEFT, "Has left the company"))
    return _form(
        Action.FIX_CONTACT,
        "Fix contact",
        private,
        [
            _about(told),
            _input(Field.CONTACT, "Who?", choices.select(Field.CONTACT, known, "A contact")),
            _optional_select(Field.LEVEL, "Level", "As it is now", _LEVELS),
            _optional_select(Field.ROLE, "Role", "As it is now", _ROLES),
            _input(
                Field.LEFT,
                "Still there?",
                CheckboxesElement(action_id=Field.LEFT, options=[left]),
                optional=True,
            ),
        ],
    )


def _about(told: Told) -> Block:
    alert = told.alert
    name = bold(named(alert.account_name, alert.account), 200)
    sign = mark(alert.severity, told.state, alert.kind)
    return markup(f"{name}\n{sign} {fitted(titled(alert.title), 500)}")


def reps_fitting(reps: Sequence[Choice], typed: str) -> list[Option]:
    """The options of `ASSIGNEE` for what somebody types, where there are many reps."""
    return choices.fitting(_of_reps(reps), typed)


def contacts_fitting(contacts: Sequence[ContactChoice], typed: str) -> list[Option]:
    """The options of `CONTACT` for what somebody types, where an account has many contacts."""
    return choices.fitting(_of_contacts(contacts), typed)


def _of_reps(reps: Sequence[Choice]) -> list[choices.Choice]:
    return [_choice(rep.id, rep.name, rep.more) for rep in reps]


def _of_contacts(contacts: Sequence[ContactChoice]) -> list[choices.Choice]:
    return [_choice(each.id, each.name, _known(each)) for each in contacts]


def _choice(id_: str, name: str | None, more: str | None) -> choices.Choice:
    return choices.Choice(option_value(id_), named(name, id_), line(more or "", MAX_NAME))


def _known(contact: ContactChoice) -> str:
    level = "level not known" if contact.level is None else _LEVELS[contact.level].lower()
    return joined(line(contact.title or "", MAX_NAME // 2), level)


def _optional_select(field: Field, label: str, prompt: str, options: dict[str, str]) -> InputBlock:
    known = [choices.Choice(value, text) for value, text in options.items()]
    return _input(field, label, choices.select(field, known, prompt), optional=True)


def _note() -> InputBlock:
    element = PlainTextInputElement(action_id=Field.NOTE, multiline=True, max_length=LONGEST_NOTE)
    return _input(Field.NOTE, "Note for the others", element, optional=True)


def _input(
    field: Field,
    label: str,
    element: InputInteractiveElement,
    hint: str | None = None,
    *,
    optional: bool = False,
) -> InputBlock:
    return InputBlock(
        block_id=field,
        label=choices.plain(label),
        element=element,
        hint=choices.plain(hint, 200) if hint else None,
        optional=optional,
    )


def _form(action: Action, title: str, private: str, blocks: Sequence[Block]) -> View:
    return View(
        type="modal",
        title=choices.plain(title, MAX_TITLE),
        submit=choices.plain(title, MAX_TITLE),
        close=choices.plain("Cancel", MAX_TITLE),
        callback_id=action.id,
        private_metadata=private,
        blocks=blocks,
    )
