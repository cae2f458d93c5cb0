"""Menus to choose one of many from, within Slack's limit of 100 options: of more, Slack asks for
those that fit what somebody types.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from slack_sdk.models.blocks import (
    ExternalDataSelectElement,
    Option,
    PlainTextObject,
    StaticSelectElement,
)

from worker.slack.blocks import MAX_LABEL, fitted

MOST_OPTIONS = 100


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


def select(
    field: str, choices: Sequence[Choice], prompt: str
) -> StaticSelectElement | ExternalDataSelectElement:
    """A menu in the order given. One of too many choices is empty, and Slack asks for `fitting`."""
    if len(choices) > MOST_OPTIONS:
        return ExternalDataSelectElement(
            action_id=field, placeholder=plain(prompt), min_query_length=0
        )
    return StaticSelectElement(
        action_id=field, placeholder=plain(prompt), options=[option(each) for each in choices]
    )


def fitting(choices: Sequence[Choice], typed: str) -> list[Option]:
    """The first of the choices in which all words stand that somebody has typed so far."""
    words = typed.casefold().split()
    found = (
        each
        for each in choices
        if all(word in f"{each.label} {each.more} {each.value}".casefold() for word in words)
    )
    return [option(each) for each in islice(found, MOST_OPTIONS)]
