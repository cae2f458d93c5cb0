"""Mail archives: who wrote to whom, when, and whether a person did; never what."""

import io
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.addresses import People
from worker.core.events import Event, parse
from worker.importing.mail import read
from worker.importing.skipped import Skipped

OURS = People(internal=frozenset({"us.example"}), shared_domains=frozenset({"agency.example"}))

MAIL = {
    "From": "Dana Ruiz <Dana+x@Acme.example>",
    "To": "Sam <sam@us.example>, lee@acme.example",
    "Cc": "support@us.example, x@agency.example",
    "Date": "Thu, 5 Mar 2026 23:30:00 -0200",
    "Message-ID": "<m1@acme.example>",
    "Subject": "Secret subject",
}


def text(**changed: str | None) -> bytes:
    named = MAIL | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in named.items() if value is not None]
    return "\r\n".join([*lines, "", "Secret body", ""]).encode()


def messages(content: bytes) -> list[dict[str, Any] | Skipped]:
    return list(read(io.BytesIO(content), OURS, "mail"))


def only(content: bytes) -> dict[str, Any]:
    [event] = messages(content)
    assert isinstance(event, dict), event
    return event


def test_a_mail_is_an_interaction_without_its_content():
    event = only(text())
    assert event == {
        "specversion": "1.0",
        "id": "m1@acme.example",
        "source": "mail",
        "type": "interaction",
        "time": "2026-03-06T01:30:00+00:00",
        "tiewatchpeople": "email",
        "tiewatchshared": "agency.example",
        "data": {
            "channel": "email",
            "direction": "inbound",
            "reps": ["sam@us.example"],
            "contacts": ["dana@acme.example"],
            "cc": ["lee@acme.example", "x@agency.example"],
        },
    }
    assert isinstance(parse(event | {"subject": "acme"}, datetime(2026, 4, 1, tzinfo=UTC)), Event)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, None),
        ({"Auto_Submitted": "no"}, None),
        ({"Auto_Submitted": "auto-replied; owner-email=x@y.example"}, "auto-reply"),
        ({"Auto_Submitted": "auto-generated"}, "other"),
        ({"Return_Path": "<>"}, "auto-reply"),
        ({"Return_Path": "<>", "From": "MAILER-DAEMON@acme.example"}, "bounce"),
        ({"Return_Path": "<dana@acme.example>"}, None),
        ({"Content_Type": "multipart/report; report-type=delivery-status; boundary=b"}, "bounce"),
        ({"Content_Type": "multipart/report; report-type=disposition-notification"}, "other"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"Precedence": "auto_reply"}, "auto-reply"),
        ({"List_Id": "Users <users.acme.example>"}, "bulk"),
        ({"Content_Type": "text/calendar; method=REPLY"}, "calendar"),
        ({"X_Autoreply": "yes"}, "auto-reply"),
    ],
)
def test_mail_that_no_person_wrote_is_told_apart(headers, kind):
    # Told of whoever wrote it: a daemon's mailbox is nobody's, so that its copy to Lee counts.
    assert only(text(**headers))["data"].get("automatic") == kind


@pytest.mark.parametrize(
    ("headers", "reason", "spoilt"),
    [
        ({"From": None}, "it names no sender", True),
        ({"From": "MAILER-DAEMON"}, "its sender has no address", False),
        ({"Date": "soon"}, "it has no date that can be read", True),
        ({"To": "lee@acme.example", "Cc": None}, "nobody of ours", False),
        ({"From": "ana@us.example", "To": "sam@us.example", "Cc": None}, "nobody but", False),
        ({"X_Gmail_Labels": "Inbox,Spam"}, "a draft, or spam", False),
    ],
)
def test_what_becomes_no_event_says_why(headers, reason, spoilt):
    [one] = messages(text(**headers))
    assert isinstance(one, Skipped)
    assert one.reason.startswith(reason)
    assert one.spoilt is spoilt


def test_comments_nested_without_end_hide_nobody():
    deep = "(" * 3_000 + ")" * 3_000
    assert only(text(From=f"Dana <dana@acme.example> {deep}"))["data"]["contacts"] == [
        "dana@acme.example"
    ]


# What only one copy of a mail has: the sender's, a receiver's, or one that a list passed on.
OF_ONE_COPY = {
    "Bcc": ["boss@us.example"],
    "Delivered_To": ["sam@us.example", "kim@us.example"],
    "Return_Path": ["<dana@acme.example>", "<>"],
    "Received": ["from x by y; Fri, 6 Mar 2026 01:31:00 +0000"],
    "List_Id": ["Users <users.acme.example>"],
    "Precedence": ["list"],
    "X_Gmail_Labels": ["Sent", "Inbox,Important"],
    "References": ["<m0@us.example>"],
    "Sender": ["list@acme.example"],
}
OF_THE_SENDERS = {**OF_ONE_COPY, "Bcc": ["boss@us.example, kim@birch.example, dana@acme.example"]}
WAYS = [
    {},
    {"From": "sam@us.example", "To": "dana@acme.example"},
    {"To": "undisclosed-recipients:;", "Cc": None},
    {"Message_ID": None},
    {"From": "sam@us.example", "To": "undisclosed-recipients:;", "Cc": None},
]


@pytest.mark.parametrize("mail", WAYS)
@given(st.data())
def test_copies_of_a_mail_never_say_different_things_of_one_event(mail, data):
    def drawn(headers: dict[str, list[str]]) -> dict[str, Any] | Skipped:
        some = {name: st.sampled_from(values) for name, values in headers.items()}
        [one] = messages(text(**mail, **data.draw(st.fixed_dictionaries({}, optional=some))))
        return one

    is_sent = "From" in mail
    found = [drawn(OF_THE_SENDERS if is_sent else OF_ONE_COPY), drawn(OF_ONE_COPY)]
    events = [one for one in found if isinstance(one, dict)]
    by_id = {event["id"]: event for event in events}
    assert all(by_id[event["id"]] == event for event in events)


@pytest.mark.parametrize("mail", WAYS[:2])
def test_the_senders_copy_and_the_receivers_are_one_event(mail):
    sent = text(**mail, Bcc="boss@us.example, kim@birch.example", X_Gmail_Labels="Sent")
    received = text(
        **mail,
        Delivered_To="ana@us.example",
        Return_Path="<someone@acme.example>",
        Received="from x by y; Fri, 6 Mar 2026 01:31:00 +0000",
    )
    assert only(sent) == only(received)


def test_a_copy_that_a_list_passed_on_takes_nothing_from_the_one_that_came_by_itself():
    ids = {only(text())["id"], only(text(List_Id="Users <users.acme.example>"))["id"]}
    assert ids == {"m1@acme.example", "m1@acme.example/bulk"}


def test_whoever_got_a_blind_copy_got_the_mail_each_for_themselves():
    for rep in ("sam@us.example", "kim@us.example"):
        event = only(text(To="lee@acme.example", Cc=None, Delivered_To=rep))
        assert (event["id"], event["data"]["reps"]) == (f"m1@acme.example/{rep}", [rep])


def test_whom_only_a_blind_copy_went_to_was_written_to():
    event = only(text(From="sam@us.example", To=None, Cc=None, Bcc="dana@acme.example"))
    assert event["id"] == "m1@acme.example/sam@us.example"
    assert (event["data"]["direction"], event["data"]["cc"]) == ("outbound", ["dana@acme.example"])


def test_where_the_date_says_nothing_the_first_server_does():
    last = "from y by z; Fri, 6 Mar 2026 01:35:00 +0000"
    first = "from x by y; Fri, 6 Mar 2026 01:31:00 +0000"
    for date in ("Thu, 1 Jan 1970 00:00:00 +0000", None, "32 Foo"):
        event = only(text(Date=date, Received=f"{last}\r\nReceived: {first}"))
        assert event["time"] == "2026-03-06T01:31:00+00:00"


def test_a_mail_without_an_id_has_one_made_from_who_and_when():
    one, again = only(text(Message_ID=None)), only(text(Message_ID=None, Subject="Other"))
    assert one["id"] == again["id"] != only(text(Message_ID=None, Cc=None))["id"]


def mbox(*mails: bytes) -> bytes:
    return b"".join(b"From - Thu Mar  5 14:20:00 2026\n" + mail + b"\n" for mail in mails)


def test_an_archive_has_a_message_a_mail_whatever_stands_in_their_bodies():
    sly = (
        text(Message_ID="<m2@x>") + b"\r\nFrom here on it is easy.\r\n>From - quoted 14:20 2026\r\n"
    )
    found = messages(mbox(text(), sly, text(Message_ID="<m3@x>")))
    assert [one["id"] for one in found if isinstance(one, dict)] == [
        "m1@acme.example",
        "m2@x",
        "m3@x",
    ]


def test_a_message_without_headers_is_told_with_its_line():
    found = messages(mbox(text(), b"\nbody alone\n", text(Message_ID="<m3@x>")))
    assert [one.line for one in found if isinstance(one, Skipped)] == [11]
    assert len(found) == 3


def test_a_line_among_the_headers_that_is_none_hides_none_of_them():
    for stray in (b">From sam@us.example Thu Mar  5 23:30:00 2026", b"quite Delivered-To: x", b"-"):
        assert messages(stray + b"\r\n" + text()) == messages(text())
        first, rest = text().split(b"\r\n", 1)
        folded = b"\r\n".join([first, b"X-Note: a", b"\tb", stray, rest])
        assert messages(folded) == messages(text())


def test_a_forwarded_archive_in_a_single_mail_is_a_part_of_it():
    assert len(messages(text() + b"\r\n" + mbox(text(), text()))) == 1


class Endless(io.RawIOBase):
    """An archive of many large mails, made as it is read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = next(self._parts, b"")
        buffer[: len(part)] = part
        return len(part)


def test_of_a_large_archive_little_is_in_memory():
    body = b"x" * 4_000
    parts = (
        part
        for n in range(40)
        for part in (mbox(text(Message_ID=f"<m{n}@x>")), *[body] * 500, b"\n\n")
    )
    tracemalloc.start()
    found = sum(isinstance(one, dict) for one in read(io.BufferedReader(Endless(parts)), OURS, "m"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == 40  # of 80 MB
    assert most < 4_000_000


@given(st.binary(max_size=2_000))
def test_whatever_is_in_a_file_nothing_breaks(content):
    for begin in (b"", mbox(text()), b"From x 1:00 2026\nFrom: "):
        messages(begin + content)
