"""`tiewatch ingest --direct`: what of files is applied, and what is said of the rest."""

import gzip
import json
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.cli.conftest import lines
from tests.pipeline import event, meeting, rows, take_in
from tests.today import TODAY
from worker.cli import batching
from worker.intake import catching_up, listening
from worker.rulebooks.rulebook import read_rulebook
from worker.shipped import rules_dir
from worker.store import batches, behind, tables, waiting
from worker.store.database import writing

DAY = TODAY - timedelta(3)


def uses(number: int) -> list[dict]:
    return [event("usage", DAY, count=1) for _ in range(number)]


def mail_to(*contacts: str) -> dict:
    """An event that leaves its account to the people that it names by their addresses."""
    people = {"reps": ["sam"], "contacts": list(contacts)}
    met = event("interaction", DAY, account=None, channel="meeting", **people)
    return met | {"tiewatchpeople": "email"}


def counts(
    received: int, applied: int, duplicates: int = 0, quarantined: int = 0, waiting: int = 0
) -> dict:
    return {
        "received": received,
        "applied": applied,
        "duplicates": duplicates,
        "quarantined": quarantined,
        "waiting": waiting,
    }


def test_files_are_taken_in_together_and_counted(tiewatch, folder):
    both = uses(3)
    (folder / "a.jsonl").write_text(lines(*both))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines(both[0], *uses(2)).encode()))
    done = tiewatch("ingest", "--direct", "--json", "a.jsonl", "b.jsonl.gz")
    assert (done.status, done.json) == (0, counts(6, 5, duplicates=1))
    again = tiewatch("ingest", "--direct", "--json", "a.jsonl", "b.jsonl.gz")
    assert (again.status, again.json) == (0, counts(6, 0, duplicates=6))


def test_standard_input_is_a_file_too(tiewatch):
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=lines(*uses(2)).encode())
    assert (done.status, done.json) == (0, counts(2, 2))


def test_without_json_the_result_is_a_sentence(tiewatch):
    done = tiewatch("ingest", "--direct", "-", stdin=lines(*uses(2)).encode())
    assert done.out == "2 events received: 2 applied, 0 duplicates, 0 quarantined.\n"


def test_events_that_wait_are_counted_until_it_is_said_whose_they_are(tiewatch):
    waits = [mail_to("dana@acme.example"), uses(1)[0] | {"tiewatchmember": "lee"}]
    del waits[1]["subject"]
    sent = lines(*waits, *uses(1)).encode()
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=sent)
    assert (done.status, done.json) == (0, counts(1, 1, waiting=2))
    assert "2 events wait until somebody says whose they are" in done.err
    told = tiewatch("doctor", "--json").json
    assert (
        "acme.example (1)"
        in next(one for one in told if one["subject"] == "waiting mails")["detail"]
    )
    claim = [event("account", DAY, domains=["acme.example"])]
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=lines(*claim).encode())
    assert done.json == counts(2, 2, waiting=1)


def test_what_waited_for_a_later_batch_of_its_file_waits_no_longer(tiewatch, monkeypatch):
    monkeypatch.setattr("worker.cli.ingest.BATCH_EVENTS", 2)
    mails = [mail_to("dana@acme.example") for _ in range(4)]
    sent = lines(*mails, event("account", DAY, domains=["acme.example"])).encode()
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=sent)
    assert (done.status, done.json) == (0, counts(5, 5))


def test_all_that_has_waited_is_taken_in_before_the_command_ends(tiewatch, monkeypatch):
    monkeypatch.setattr(waiting, "AT_ONCE", 2)
    sent = lines(*(mail_to("dana@acme.example") for _ in range(7))).encode()
    tiewatch("ingest", "--direct", "-", stdin=sent)
    claim = lines(event("account", DAY, domains=["acme.example"])).encode()
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=claim)
    assert (done.status, done.json) == (0, counts(3, 3))
    assert "5 events that had waited for this were taken in besides" in done.err
    assert tiewatch("ingest", "--direct", "--json", "-", stdin=sent).json == counts(7, 0, 7)


def test_doctor_tells_what_counts_in_part_and_what_is_being_taken_in(
    tiewatch, embedded, monkeypatch
):
    def waits() -> list[str]:
        told = tiewatch("doctor", "--json").json
        return [one["detail"] for one in told if one["subject"].startswith("waiting")]

    mails = [mail_to("dana@acme.example", "x@y.example"), *(mail_to("z@y.example") for _ in "ab")]
    sent = lines(event("account", DAY, domains=["acme.example"]), *mails).encode()
    tiewatch("ingest", "--direct", "-", stdin=sent)
    [told] = waits()
    assert told.startswith("3 events wait")
    assert "1 of them counts already for those of its people who are known" in told
    monkeypatch.setattr(waiting, "AT_ONCE", 1)
    claim = event("account", DAY, account="Birch", domains=["y.example"])
    assert take_in(embedded, read_rulebook(rules_dir()), TODAY, claim).unreleased
    assert "take those in step by step" in waits()[1]


def test_large_accounts_are_made_anew_before_it_ends(tiewatch, embedded, monkeypatch):
    monkeypatch.setattr(listening, "REREAD_AT_ONCE", 0)
    member = {"tiewatchmember": "ana"}
    groups = [
        event("account", DAY + timedelta(days), account=account) | member
        for days, account in enumerate(["acme", "birch"])
    ]
    used = event("usage", DAY, account=None, user="ana") | member
    for sent in (groups[0], used, groups[1]):
        assert tiewatch("ingest", "--direct", "-", stdin=lines(sent).encode()).status == 0
    assert [row["account"] for row in rows(embedded, tables.usage_days)] == ["birch"]
    assert "behind" not in tiewatch("doctor").out


def test_blank_lines_line_ends_of_windows_and_a_last_line_without_end_are_fine(tiewatch, folder):
    one, two = lines(*uses(2)).splitlines()
    (folder / "a.jsonl").write_bytes(f"\r\n{one}\r\n   \n\n{two}".encode())
    assert tiewatch("ingest", "--direct", "--json", "a.jsonl").json == counts(2, 2)


def test_a_byte_order_mark_is_no_part_of_the_first_event(tiewatch, folder):
    (folder / "a.jsonl").write_text(lines(*uses(2)), encoding="utf-8-sig")
    assert tiewatch("ingest", "--direct", "--json", "a.jsonl").json == counts(2, 2)


BAD = {
    "no JSON": ('{"id": "1", ', "not valid JSON"),
    "not an object": ("[1, 2]", "an event is a JSON object"),
    "missing fields": ({"type": "usage"}, "'id' is missing"),
    "wrong type": (event("usage", DAY) | {"data": []}, "'data' must be an object"),
    "unknown type": (event("nonsense", DAY), "unknown type"),
    "year 3000": (event("usage", DAY) | {"time": "3000-01-01T00:00:00Z"}, "24 hours ahead"),
    "naive time": (event("usage", DAY) | {"time": "2026-01-01T00:00:00"}, "no offset"),
    "no direction": (
        event("interaction", DAY, channel="email", reps=["sam"], contacts=["dana"]),
        "'direction' is missing: an email must say inbound or outbound",
    ),
    "10 MB": (event("usage", DAY, feature="x" * 10_000_000), "limit is 262,144"),
    "NUL": (event("usage", DAY, feature="a\x00b"), "cannot be stored"),
    "half a pair": (event("usage", DAY, feature="\ud83d"), "cannot be stored"),
    "not a number": (event("usage", DAY, minutes=float("nan")), "'minutes' must be a number"),
    "too deep": ("[" * 100_000, "nested too deeply"),
    "deep event": (
        lines(event("usage", DAY, x="HERE")).strip().replace('"HERE"', "[" * 5_000 + "]" * 5_000),
        "nested too deeply",
    ),
    "long number": ("9" * 5_000, "not valid JSON"),
    "not UTF-8": ("\udcff", "not valid JSON"),
}


def test_each_bad_line_is_named_with_its_place_and_problem_and_the_good_ones_applied(
    tiewatch, folder, embedded
):
    good = uses(len(BAD))
    content = "".join(lines(bad, fine) for (bad, _), fine in zip(BAD.values(), good, strict=True))
    (folder / "a.jsonl").write_bytes(content.encode("utf-8", "surrogateescape"))
    done = tiewatch("ingest", "--direct", "--json", "a.jsonl")
    assert done.status == 2
    assert done.json == counts(2 * len(BAD), len(BAD), quarantined=len(BAD))
    told = done.err.splitlines()
    for number, (kind, (_, problem)) in enumerate(BAD.items()):
        assert told[number].startswith(f"a.jsonl:{2 * number + 1}: quarantined "), kind
        assert problem in told[number], kind
        assert len(told[number]) < 1_000, kind
    kept = rows(embedded, tables.quarantine)
    assert len(kept) == len(BAD)
    assert max(len(row["body"]) for row in kept) > 10_000_000


def test_of_many_bad_events_some_are_shown_and_the_rest_counted(tiewatch):
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=b"no json\n" * 30 + b"{}\n")
    assert done.status == 2
    assert done.json["quarantined"] == 31
    assert done.err.count("quarantined ?/?") == 20
    assert "11 more" in done.err


def test_an_empty_file_is_said_to_be_empty(tiewatch, folder):
    (folder / "a.jsonl").write_text("")
    (folder / "b.jsonl").write_text("\n \n")
    (folder / "c.jsonl").write_text(lines(*uses(1)))
    done = tiewatch("ingest", "--direct", "--json", "a.jsonl", "b.jsonl", "c.jsonl")
    assert (done.status, done.json) == (2, counts(1, 1))
    for name in ("a.jsonl", "b.jsonl"):
        assert f"{name}: empty" in done.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.jsonl", "there is no such file"),
        ("folder", "is a folder"),
        ("none.jsonl.gz", "cannot be read"),
        ("bad.jsonl.gz", "cannot be read"),
        ("loop.jsonl", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_before_anything_is_taken_in(
    tiewatch, folder, embedded, name, said
):
    (folder / "folder").mkdir()
    (folder / "none.jsonl.gz").write_text(lines(*uses(1)))
    (folder / "bad.jsonl.gz").write_bytes(gzip.compress(b"")[:10] + b"\x07" * 20)
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    (folder / "good.jsonl").write_text(lines(*uses(1)))
    done = tiewatch("ingest", "--direct", "--json", "good.jsonl", name)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"{name}")
    assert said in done.err
    assert rows(embedded, tables.events) == []


@pytest.mark.parametrize("broken", ["cut", "damaged"])
def test_a_gzip_that_breaks_off_is_said_to_and_what_it_says_was_taken_in_was(
    tiewatch, folder, embedded, broken
):
    first, second = (gzip.compress(lines(*uses(850)).encode()) for _ in range(2))
    # A block of a kind that there is not, behind the 10 bytes of the second part's head.
    bad = second[:-100] if broken == "cut" else second[:10] + b"\x07" + second[11:]
    (folder / "a.jsonl.gz").write_bytes(first + bad)
    done = tiewatch("ingest", "--direct", "--json", "a.jsonl.gz")
    assert done.status == 2
    assert "a.jsonl.gz: breaks off" in done.err
    if "What came before it was taken in" in done.err:
        assert len(rows(embedded, tables.events)) >= (1_600 if broken == "cut" else 800)
    (folder / "a.jsonl.gz").write_bytes(first + second)
    again = tiewatch("ingest", "--direct", "--json", "a.jsonl.gz")
    assert (again.status, again.json["quarantined"]) == (0, 0)
    assert len(rows(embedded, tables.events)) == 1_700


def test_what_a_pipe_holds_is_read_once_and_whole(tiewatch, folder):
    reading, writing_ = os.pipe()
    text = lines(*uses(300)).encode()

    def write() -> None:
        with os.fdopen(writing_, "wb") as end:
            end.write(text)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    # As a shell names it in: tiewatch ingest <(zcat old.jsonl.gz)
    done = tiewatch("ingest", "--direct", "--json", f"/dev/fd/{reading}")
    os.close(reading)
    writer.join(10)
    assert (done.status, done.json) == (0, counts(300, 300))


def test_no_file_at_all_is_wrong_use(tiewatch):
    done = tiewatch("ingest", "--direct")
    assert (done.status, done.out) == (2, "")
    assert "Name at least one event file" in done.err


def test_an_event_may_raise_an_alert_which_waits_for_delivery(tiewatch, embedded):
    renewal = str(TODAY + timedelta(30))
    given = [event("account", DAY, renewal_date=renewal), meeting(TODAY - timedelta(20), "dana")]
    given.append(event("contact", DAY, contact="dana", title="CIO"))
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=lines(*given).encode())
    assert done.json == counts(3, 3)
    (row,) = rows(embedded, tables.outbox)
    assert row["planned_at"] is None
    assert json.loads(row["alert"])["rule"] == "renewal-without-exec-contact"


def test_a_backfill_sweeps_once_at_its_end(tiewatch, embedded):
    given = [meeting(TODAY - timedelta(20)), event("account", DAY, name="Acme")]
    done = tiewatch("ingest", "--direct", "--backfill", "--json", "-", stdin=lines(*given).encode())
    assert (done.status, done.json) == (0, counts(2, 2))
    (sweep,) = rows(embedded, tables.sweeps)
    assert sweep["on_date"] == TODAY
    assert [row["rule"] for row in rows(embedded, tables.flags)] == ["single-threaded"]


def test_a_backfill_sweeps_when_a_worker_has_made_the_last_large_account_anew(
    tiewatch, embedded, monkeypatch
):
    tiewatch("ingest", "--direct", "-", stdin=lines(*uses(1)).encode())
    with writing(embedded) as db:
        behind.note(db, ["acme"], (), True, datetime.now(UTC))
    seconds = []

    def a_worker_goes_on(waited: float) -> None:
        assert rows(embedded, tables.sweeps) == []
        seconds.append(waited)
        if len(seconds) == 3:
            with writing(embedded) as db:
                behind.take(db)

    monkeypatch.setattr(catching_up, "catch_up", lambda *_: None)
    monkeypatch.setattr(batching.time, "sleep", a_worker_goes_on)
    done = tiewatch("ingest", "--direct", "--backfill", "-", stdin=lines(*uses(1)).encode())
    assert done.err.count("Waiting until large accounts are made anew: a worker is at it.") == 1
    assert len(seconds) == 3
    assert len(rows(embedded, tables.sweeps)) == 1


def test_a_backfill_after_a_sweep_of_a_later_date_reports_what_it_did(tiewatch):
    tiewatch("sweep", "--on", str(TODAY + timedelta(10)))
    given = lines(*uses(2)).encode()
    done = tiewatch("ingest", "--direct", "--backfill", "--json", "-", stdin=given)
    assert (done.status, done.json) == (0, counts(2, 2))


def test_a_parked_batch_is_taken_in_again(tiewatch, embedded):
    tiewatch("facts")  # makes the database
    now = datetime.now(UTC)
    with writing(embedded) as db:
        batches.count_start(db, "b", now)
        batches.park(db, "b", uses(2), "no", now)
    assert tiewatch("doctor", "--json").status == 1
    done = tiewatch("ingest", "--parked", "--direct", "--json")
    assert (done.status, done.json) == (0, counts(2, 2))
    done = tiewatch("ingest", "--parked", "--direct", "--json")
    assert (done.status, done.json) == (0, counts(0, 0))


def test_parked_batches_and_files_together_are_both_taken_in_or_refused(tiewatch, embedded):
    tiewatch("facts")
    now = datetime.now(UTC)
    with writing(embedded) as db:
        batches.count_start(db, "b", now)
        batches.park(db, "b", uses(2), "no", now)
    given = lines(*uses(1)).encode()
    done = tiewatch("ingest", "--parked", "--direct", "--json", "-", stdin=given)
    if done.status == 0:
        assert done.json == counts(3, 3), "the file was left out without a word"
    else:
        assert (done.status, done.out) == (2, "")


def test_a_batch_that_cannot_be_applied_is_parked_and_said_to_be(tiewatch, embedded, monkeypatch):
    tiewatch("facts")
    monkeypatch.setattr("worker.cli.batching.time.sleep", lambda _seconds: None)
    with writing(embedded) as db:  # a table that cannot be written to
        db.execute(update(tables.workspace).values(half_life=60))
        db.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    done = tiewatch("ingest", "--direct", "--json", "-", stdin=lines(*uses(2)).encode())
    assert (done.status, done.json) == (2, counts(2, 0))
    assert "full" in done.err
    assert "--parked" in done.err
    with writing(embedded) as db:
        db.exec_driver_sql("DROP TRIGGER full")
    assert tiewatch("ingest", "--parked", "--direct", "--json").json == counts(2, 2)
