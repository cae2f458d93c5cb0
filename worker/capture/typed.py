"""What people type into Slack, as they typed it and as a database can keep it."""

import re

_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""Slack sends these three characters of a command escaped."""

# What is cut off in the middle of an emoji ends in half a surrogate pair.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


def kept(text: str) -> str:
    """The text with a sign in place of what PostgreSQL cannot keep: NUL, half a surrogate pair."""
    return _UNKEPT.sub("\N{REPLACEMENT CHARACTER}", text)


def words_of(text: str) -> str:
    """The words of a command."""
    for escaped, typed in _ESCAPED:
        text = text.replace(escaped, typed)
    return kept(text).strip()
