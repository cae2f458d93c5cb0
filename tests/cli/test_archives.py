"""`tiewatch import` of mail archives and calendars: ties out of what people have anyway."""

import pytest

from tests.pipeline import rows
from worker.store import tables

OURS = "people: {internal domains: [us.example]}\n"
ACCOUNT = """{"id": "a", "source": "crm", "type": "account", "time": "2026-01-01T00:00:00Z", \
"subject": "acme", "data": {"domains": ["acme.example"]}}
{"id": "c", "source": "crm", "type": "contact", "time": "2026-01-01T00:00:00Z", "subject": "acme", \
"data": {"contact": "dana", "title": "CIO", "emails": ["dana@acme.example"]}}
"""


def mail(number: int, sender: str, to: str, more: str = "") -> str:
    return (
        f"From - Thu Mar  5 14:20:00 2026\nFrom: {sender}\nTo: {to}\nSubject: Secret\n"
        f"Date: Thu, 5 Mar 2026 14:20:00 +0000\nMessage-ID: <m{number}@x>\n{more}\nSecret\n\n"
    )


MBOX = (
    mail(1, "dana@acme.example", "sam@us.example")
    + mail(2, "sam@us.example", "dana@acme.example")
    + mail(3, "sam@us.example", "kim@birch.example")
    + mail(4, "sam@us.example", "ana@us.example")
    + mail(5, "dana@acme.example", "sam@us.example", "Auto-Submitted: auto-replied\n")
)
ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:weekly
DTSTART;TZID=Europe/Berlin:20260316T090000
DTEND;TZID=Europe/Berlin:20260316T100000
RRULE:FREQ=WEEKLY;COUNT=3
ORGANIZER:mailto:sam@us.example
ATTENDEE:mailto:Dana@acme.example
SUMMARY:Secret
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def archives(folder):
    (folder / "rules").mkdir()
    (folder / "rules/own.yaml").write_text("include: shipped rules\n")
    (folder / "rules/capture.yaml").write_text(OURS)
    (folder / "mails.mbox").write_text(MBOX)
    (folder / "calendar.ics").write_text(ICS)
    (folder / "crm.jsonl").write_text(ACCOUNT)
    return folder


def test_mails_and_meetings_become_ties_and_everything_twice_counts_once(
    tiewatch, archives, embedded
):
    done = tiewatch("import", "--direct", "--json", "mails.mbox", "calendar.ics")
    assert done.status == 0, done.err
    assert done.json == {
        **{
            "rows": 8,
            "undated": 0,
            "left_out": {"nobody but people of ours and shared mailboxes": 1},
        },
        **{"received": 0, "applied": 0, "duplicates": 0, "quarantined": 0, "waiting": 7},
    }
    assert "acme.example (6), birch.example (1)" in done.err
    assert tiewatch("ingest", "--direct", "--json", "crm.jsonl").json["applied"] == 8
    ties = tiewatch("ties", "acme", "--on", "2026-04-01", "--json").json
    assert [(tie["rep"], tie["contact"], tie["tier"]) for tie in ties] == [
        ("sam@us.example", "dana", "strong")
    ]
    again = tiewatch("import", "--direct", "--json", "mails.mbox", "calendar.ics")
    assert (again.json["applied"], again.json["duplicates"], again.json["waiting"]) == (0, 6, 1)
    assert "birch.example" in tiewatch("doctor").out
    assert not any("Secret" in row["body"] for row in rows(embedded, tables.events))


def test_a_dry_run_shows_what_would_come_out(tiewatch, archives):
    done = tiewatch("import", "--dry-run", "--json", "mails.mbox", "calendar.ics")
    assert done.json["events"] == {"interaction": 7}
    assert [one["as"] for one in done.json["files"]] == ["mail", "calendar"]
    assert done.json["examples"][0]["data"]["direction"] == "inbound"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mails.mbox"], "Name your domains under 'people:' in capture.yaml"),
        (["missing.mbox"], "missing.mbox: there is no such file"),
        (["--as", "calendar", "missing"], "missing: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_taken_in(
    tiewatch, archives, arguments, said
):
    (archives / "rules/capture.yaml").unlink()
    done = tiewatch("import", "--direct", *arguments)
    assert done.status == 2
    assert said in done.err


def test_who_in_a_file_of_events_is_nobody_is_said_and_not_taken_in(tiewatch, archives):
    event = (
        '{"id": "1", "source": "m", "type": "usage", "time": "2026-03-01T00:00:00Z", '
        '"tiewatchpeople": "email", "data": {"user": "sam@us.example"}}\n'
    )
    (archives / "events.jsonl").write_text(event)
    done = tiewatch("ingest", "--direct", "--json", "events.jsonl")
    assert (done.status, done.json["received"]) == (0, 0)
    assert "1 events of nobody but people of ours and shared mailboxes: ignored." in done.err


def test_of_many_mails_that_cannot_be_read_the_first_are_told_and_all_are_counted(
    tiewatch, archives
):
    (archives / "bad.mbox").write_text("From - Thu Mar  5 14:20:00 2026\nTo: a@us.example\n\n" * 30)
    done = tiewatch("import", "--direct", "--json", "bad.mbox")
    assert (done.status, done.json["left_out"]) == (2, {"it names no sender": 30})
    assert done.err.count("it names no sender") == 20
    assert "... and 10 more like these." in done.err


MAPPING = """
imports:
  log:
    source: log
    id: $.Id
    time: $.When
    events:
      - type: interaction
        people: email
        channel: call
        reps: $.Who | split
        contacts: $.With | split
"""


def test_rows_may_know_people_by_their_addresses(tiewatch, archives, embedded):
    (archives / "log.yaml").write_text(MAPPING)
    (archives / "log.csv").write_text(
        "Id,When,Who,With\n"
        "1,2026-03-01T10:00:00Z,Sam@us.example,Dana@acme.example;ana@us.example\n"
        "2,2026-03-01T11:00:00Z,sam@us.example,ana@us.example\n"
    )
    tiewatch("ingest", "--direct", "crm.jsonl")
    done = tiewatch("import", "--direct", "--json", "--mapping", "log.yaml", "log.csv")
    assert (done.status, done.json["applied"]) == (0, 1)
    assert done.json["left_out"] == {"nobody but people of ours and shared mailboxes": 1}
    ties = {(row["rep"], row["contact"]) for row in rows(embedded, tables.tie_days)}
    assert ties == {("sam@us.example", "dana"), ("ana@us.example", "dana")}


def test_a_table_whose_first_column_begins_like_a_mailbox_is_a_table(tiewatch, archives):
    (archives / "log.yaml").write_text(
        MAPPING + MAPPING.replace("imports:", "").replace("log", "b")
    )
    (archives / "terms.csv").write_text("From date,Id\n2026-03-01,1\n")
    done = tiewatch("import", "--dry-run", "--mapping", "log.yaml", "terms.csv")
    assert "terms.csv: is of no kind that is known by its columns (From date, Id)" in done.err
