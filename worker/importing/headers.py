"""The headers of the messages of a mailbox, one message at a time; bodies are passed over.

The standard library's mailbox reads each message whole. Here none is, so that an archive of any
size takes little memory, and nothing that people wrote to each other is looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from typing import IO

LONGEST = 262_144
"""Bytes of a message's headers that are read; what goes beyond them is passed over."""

_AT_ONCE = 65_536
_HEADER = re.compile(rb"[!-9;-~]+:|[ \t]")
"""How a line of headers begins, one that goes on included: the library stops at any other line."""

_BEGINS = re.compile(rb"From .*\d{1,2}:\d{2}.*\d{4}\s*$")
_PARSER = HeaderParser(policy=compat32)


@dataclass(slots=True)
class Headers:
    """The headers of a message that begins at this line of its file."""

    line: int
    kept: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, text: bytes) -> None:
        """Keep a line, or a part of one, unless there has been too much."""
        if self.size + len(text) <= LONGEST:
            self.kept.append(text)
            self.size += len(text)

    @property
    def message(self) -> Message:
        """A message without a body. Other characters than ASCII are read as UTF-8."""
        return _PARSER.parsestr(b"".join(self.kept).decode("utf-8", "replace"))


def headers_in(content: IO[bytes]) -> Iterator[Headers]:
    """The headers of each message of an mbox file, or of the one of an .eml file.

    In an mbox file a message begins with a line `From SENDER DATE`, after an empty one.
    """
    line = 0
    found: Headers | None = None
    is_open = is_mbox = after_blank = False
    for text, starts in _lines(content):
        line += starts
        blank = starts and not text.strip(b"\r\n")
        if found is None and blank:
            continue
        if found is None:
            is_mbox = text.startswith(b"From ")
            found, is_open = Headers(line), True
            if is_mbox:
                continue
        elif is_mbox and after_blank and starts and _BEGINS.match(text):
            yield found
            found, is_open, after_blank = Headers(line), True, False
            continue
        after_blank = blank
        if blank:
            is_open = False
        elif is_open and (not starts or _HEADER.match(text)):
            found.add(text)
    if found is not None:
        yield found


def _lines(content: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Parts of lines, and whether each begins one: a body may be one line without an end."""
    starts = True
    while text := content.readline(_AT_ONCE):
        yield text, starts
        starts = text.endswith(b"\n")
