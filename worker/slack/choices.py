"""Menus to choose one of many from, within Slack's limits: 100 options, in at most 100 groups."""

from collections.abc import Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import Option, OptionGroup, PlainTextObject, StaticSelectElement

from worker.slack.blocks import MAX_LABEL, fitted
from worker.slack.phrases import cut

MOST_OPTIONS = 100
MOST_GROUPS = 100


class Choice(NamedTuple):
    """An option: what it carries, what it says, and what is said under it."""

    value: str
    label: str
    more: str = ""


def option(choice: Choice) -> Option:
    """The option, its texts fitted; what has no name is called so."""
    return Option(
        value=choice.value,
        text=plain(choice.label or "no name"),
        description=plain(choice.more) if choice.more else None,
    )


def plain(text: str, limit: int = MAX_LABEL) -> PlainTextObject:
    """A short text without markup."""
    return PlainTextObject(text=fitted(text, limit), emoji=False)


def select(field: str, choices: Sequence[Choice], prompt: str) -> StaticSelectElement:
    """A menu in the order given; more choices than Slack takes at once come in groups.

    A group is labelled by its first and last option. Slack lets people type to find one.
    """
    if len(choices) <= MOST_OPTIONS:
        return StaticSelectElement(
            action_id=field, placeholder=plain(prompt), options=[option(each) for each in choices]
        )
    groups = [choices[at : at + MOST_OPTIONS] for at in range(0, len(choices), MOST_OPTIONS)]
    return StaticSelectElement(
        action_id=field,
        placeholder=plain(prompt),
        option_groups=[
            OptionGroup(
                label=plain(f"{cut(group[0].label, 30)} to {cut(group[-1].label, 30)}"),
                options=[option(each) for each in group],
            )
            for group in groups[:MOST_GROUPS]
        ],
    )
