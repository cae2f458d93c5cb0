"""Mail archives to interactions: who wrote to whom, and when. Subjects and bodies are not read.

Mail that no person wrote is told apart as RFC 3834 and RFC 3464 have it, and by what lists say of
themselves.

The sender's copy of a mail and those of its receivers are one event. So nothing but what all of
them have decides what is in it: Message-ID, date, From, To and Cc. What only some copies say, that
a list passed it on or who got it blind, makes an event of its own, under an id that says so.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import IO, Any

from worker.capture.digests import digest_of
from worker.core.addresses import People
from worker.core.sorting import Ignored, Sides, sides_of_mail
from worker.importing.headers import Headers, headers_in
from worker.importing.interactions import fit_for_id, interaction, known
from worker.importing.skipped import Skipped

_BULK = ("bulk", "junk", "list")
_UNSENT = ("draft", "drafts", "spam")
_DELIVERED = ("Delivered-To", "X-Original-To", "Envelope-To")
_DAEMONS = ("mailer-daemon@", "postmaster@")
_EARLIEST = 1990
"""The year before which a date is that of a clock which nobody had set."""

_LIKE_ADDRESS = re.compile(r"[^\s<>\",;:()]+@[^\s<>\",;:()]+")
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")


def read(content: IO[bytes], people: People, source: str) -> Iterator[dict[str, Any] | Skipped]:
    """The events of an mbox or .eml file, in its order; ids are those of the messages."""
    for headers in headers_in(content):
        yield _event(headers, people, source)


def _event(headers: Headers, people: People, source: str) -> dict[str, Any] | Skipped:
    message, line = headers.message, headers.line
    labels = _text(message, "X-Gmail-Labels").lower().split(",")
    if any(label.strip() in _UNSENT for label in labels):
        return Skipped(line, "a draft, or spam")
    sender = _addresses(message, "From") or _addresses(message, "Sender")
    if not sender and "From" in message:
        return Skipped(line, "its sender has no address")
    if not sender:
        return Skipped(line, "it names no sender", spoilt=True)
    time = _time(message)
    if time is None:
        return Skipped(line, "it has no date that can be read", spoilt=True)
    to, copied = _addresses(message, "To"), _addresses(message, "Cc")
    names = [_name(message, [sender, to, copied, time.isoformat()])]
    sides = sides_of_mail(sender[0], to, copied, people)
    if isinstance(sides, Ignored):
        sides = _blind(message, sender[0], to, copied, people)
        if isinstance(sides, Ignored):
            return Skipped(line, sides.reason)
        names += sides.reps
    if kind := automatic(message):
        names.append(kind)
    return interaction(
        fit_for_id("/".join(names)),
        source,
        time,
        sides,
        people,
        channel="email",
        direction=sides.direction,
        automatic=kind,
    )


def _name(message: Message, told: object) -> str:
    """The Message-ID, else what is `told` of the mail instead."""
    found = _MESSAGE_ID.search(_text(message, "Message-ID"))
    return found[1] if found else digest_of(told)


def _blind(
    message: Message, sender: str, to: list[str], copied: list[str], people: People
) -> Sides | Ignored:
    """Who takes part by a blind copy: whom the sender's copy names, or whose mailbox it was in."""
    seen = any(people.is_ours(one) for one in (sender, *to, *copied))
    delivered = [] if seen else _addresses(message, *_DELIVERED)
    return sides_of_mail(sender, [*to, *delivered], [*copied, *_addresses(message, "Bcc")], people)


def automatic(message: Message) -> str | None:
    """What kind of automatic mail it is, by its headers; None if a person wrote it.

    A null return path is what both bounces and automatic replies have: a person's address before it
    makes it a reply.
    """
    kind = message.get_content_type()
    if kind == "multipart/report":
        report = str(message.get_param("report-type") or "").lower()
        return "other" if report == "disposition-notification" else "bounce"
    submitted = _word(message, "Auto-Submitted")
    precedence = _word(message, "Precedence")
    if submitted.startswith("auto-replied") or precedence in ("auto_reply", "auto-reply"):
        return "auto-reply"
    if any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")):
        return "auto-reply"
    mailbox = _text(message, "From").lower()
    if any(name in mailbox for name in _DAEMONS):
        return "bounce"
    if _text(message, "Return-Path").replace(" ", "") == "<>":
        return "auto-reply"
    if "List-Id" in message or precedence in _BULK:
        return "bulk"
    if kind == "text/calendar" or "calendarmessage" in _word(message, "Content-Class"):
        return "calendar"
    return "other" if submitted not in ("", "no") else None


def _text(message: Message, name: str) -> str:
    return " ".join(str(message.get(name) or "").split())


def _word(message: Message, name: str) -> str:
    """A header's value without its parameters, in lower case."""
    return _text(message, name).partition(";")[0].strip().lower()


def _addresses(message: Message, *names: str) -> list[str]:
    """The addresses in these headers. What is no proper list of them is looked through for some."""
    values = [" ".join(str(one).split()) for name in names for one in message.get_all(name, [])]
    try:
        found = known(address for _, address in getaddresses(values))
    except (RecursionError, ValueError):  # comments nested without end, for one
        found = []
    return found or known(match[0] for value in values for match in _LIKE_ADDRESS.finditer(value))


def _time(message: Message) -> datetime | None:
    """When it was sent; where its date says nothing, when the first server received it, which is
    the one that all of its receivers have in common."""
    servers = [str(one).rpartition(";")[2].strip() for one in message.get_all("Received", [])]
    for text in (_text(message, "Date"), *servers[-1:]):
        try:
            moment = parsedate_to_datetime(text)
            time = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        if time.year >= _EARLIEST:
            return time
    return None
