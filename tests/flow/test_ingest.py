"""Taking in batches: what is applied, what is set aside and how, and that nothing happens twice."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.flow.test_merging import emptied
from tests.pipeline import Raw, alerts, at, event, meeting, rows, rulebook, sweep, take_in
from worker.core.alerts import AlertReason
from worker.core.rules import rule_set
from worker.intake import applying
from worker.intake import ingest as service
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import MAX_STARTS, TryAgain, ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import batches, tables
from worker.store.batches import Counts
from worker.store.database import engine_for, reading, writing
from worker.store.event_log import CONFLICT

D = date(2026, 2, 18)
NOW = at(D)


@pytest.fixture
def book(tmp_path) -> Rulebook:
    return rulebook(
        tmp_path,
        """
        rules:
          - {id: silence, title: Silence, severity: low, when: {days_since_contact: over 5 days}}
        """,
    )


def use(id_: str = "1", **more: Any) -> Raw:
    return event("usage", D - timedelta(1), count=2) | {"id": id_} | more


def usage(engine: Engine) -> dict[str, int]:
    """Uses by account."""
    return {row["account"]: row["count"] for row in rows(engine, tables.usage_days)}


def raising(error: Exception):
    def fail(*_args: object, **_more: object):
        raise error

    return fail


def quarantined(engine: Engine) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (row["source"], row["event_id"], json.loads(row["problems"]))
        for row in rows(engine, tables.quarantine)
    )


def everything(engine: Engine) -> dict[str, Any]:
    """All that is stored, but for the batches and the times of receipt."""
    return {
        table.name: [
            {name: value for name, value in row.items() if name not in ("batch", "received_at")}
            for row in rows(engine, table)
        ]
        for table in tables.metadata.sorted_tables
        if table is not tables.batches
    }


# Good and bad


def test_a_bad_event_is_quarantined_with_all_its_problems_and_the_rest_is_applied(engine, book):
    bad = use("2", time="yesterday", data={"count": 0, "minutes": "two"}, subject=None)
    result = take_in(engine, book, D, use("1"), bad, use("3"))
    assert result.counts == Counts(received=3, applied=2, quarantined=1)
    (rejected,) = result.rejected
    assert (rejected.index, rejected.source, rejected.id) == (1, "crm", "2")
    for field in ("time", "count", "minutes", "subject"):
        assert any(f"'{field}'" in problem for problem in rejected.problems), field
    assert quarantined(engine) == [("crm", "2", list(rejected.problems))]
    assert usage(engine) == {"acme": 4}


def test_whatever_comes_instead_of_an_event_does_not_keep_the_others_out(engine, book):
    odd = [None, 5, "text", [], {}, {"id": 5}, [[{}]], True, "{", float("nan"), {"data": None}]
    result = take_in(engine, book, D, use("1"), *odd, use("2"))
    assert result.counts == Counts(received=13, applied=2, quarantined=11)
    assert [one.index for one in result.rejected] == list(range(1, 12))
    assert all(one.problems for one in result.rejected)


def test_an_empty_batch_is_applied(engine, book):
    assert take_in(engine, book, D).counts == Counts()


def test_the_log_keeps_an_event_as_it_came_with_its_unknown_keys(engine, book):
    raw = use() | {"traceparent": "00-1", "data": {"count": 2, "plan": {"é": [1.5, None, "😀"]}}}
    take_in(engine, book, D, raw)
    (logged,) = rows(engine, tables.events)
    assert json.loads(logged["body"]) == raw


def test_quarantine_keeps_the_body_whole(engine, book):
    bad = use() | {"type": "nonsense", "data": {"anything": ["é", {"deep": None}]}}
    take_in(engine, book, D, bad)
    (kept,) = rows(engine, tables.quarantine)
    assert json.loads(kept["body"]) == bad


def test_a_line_that_is_no_json_is_kept_as_it_is(engine, book):
    take_in(engine, book, D, '{"id": "1", "source": ')
    (kept,) = rows(engine, tables.quarantine)
    assert kept["body"] == '{"id": "1", "source": '
    assert "not valid JSON" in kept["problems"]


def test_the_same_bad_event_is_kept_once_however_often_it_comes_and_counted_each_time(engine, book):
    bad = use(type="nonsense")
    for _ in range(2):
        assert take_in(engine, book, D, bad, bad).counts.quarantined == 2
    assert len(rows(engine, tables.quarantine)) == 1


def test_text_of_10_mb_is_quarantined_whole_and_said_in_a_short_line(engine, book):
    long = use("2", data={"feature": "x" * 10_000_000})
    result = take_in(engine, book, D, use("1"), long)
    assert result.counts == Counts(received=2, applied=1, quarantined=1)
    assert len(str(result.rejected[0])) < 1_000
    (kept,) = rows(engine, tables.quarantine)
    assert json.loads(kept["body"]) == long


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "\udc00x"])
def test_text_that_a_database_cannot_hold_harms_nothing_else(engine, book, text):
    odd = [use("a" + text), use("b", source=text), use("c", subject=text), text]
    odd += [use("d", data={"feature": text}), use("e", data={text: 1}), use("f") | {text: 1}]
    unread = use("g", data={"count": 2, "unknown": [text]})
    result = take_in(engine, book, D, use("1"), *odd, unread)
    problems = {one.index: one.problems for one in result.rejected}
    assert problems.keys() >= {1, 2, 3, 4, 5}
    assert len(odd) + 1 not in problems, "nobody reads unknown keys"
    assert usage(engine)["acme"] >= 4
    for told in problems.values():
        assert told != ("it cannot be read",), "it does not say what to mend"


@pytest.mark.parametrize("depth", [50, 300, 700, 850, 900, 930, 960, 980, 990])
def test_deep_nesting_is_taken_or_quarantined_and_keeps_nothing_else_out(
    sqlite_engine, book, depth
):
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    raw = use("1", data={"x": deep})
    for number in range(2):  # the second time it is a duplicate
        result = take_in(sqlite_engine, book, D, raw, use(f"good{number}"))
        assert result.parked is None
        assert result.counts.received == 2
        assert result.counts.quarantined <= 1
    assert usage(sqlite_engine)["acme"] >= 4


# Duplicates


def test_an_event_that_comes_again_counts_as_a_duplicate_and_does_nothing(engine, book):
    assert take_in(engine, book, D, use("1"), use("1")).counts == Counts(2, 1, 1)
    before = everything(engine)
    assert take_in(engine, book, D, use("1")).counts == Counts(1, 0, 1)
    assert everything(engine) == before
    assert usage(engine) == {"acme": 2}


def test_the_same_event_written_in_another_way_is_a_duplicate(engine, book):
    assert take_in(engine, book, D, use()).counts.applied == 1
    elsewhere = use(time=f"{D - timedelta(1)}T13:00:00+01:00")
    for again in (elsewhere, use() | {"traceparent": "00-2"}, use(specversion="1.0")):
        assert take_in(engine, book, D, again).counts == Counts(1, 0, 1)


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_the_same_id_is_a_conflict_and_the_first_stands(engine, book, together):
    call = {"channel": "call", "reps": ["s"], "contacts": ["d"]}
    first = [use(f"{number}") for number in range(4)]
    other = [
        use("0", data={"count": 3}),
        use("1", subject="birch"),
        use("2", time=f"{D - timedelta(2)}T12:00:00Z"),
        use("3", type="interaction", data=call),
    ]
    if together:
        result = take_in(engine, book, D, *first, *other)
        assert result.counts == Counts(received=8, applied=4, quarantined=4)
    else:
        take_in(engine, book, D, *first)
        result = take_in(engine, book, D, *other)
        assert result.counts == Counts(received=4, quarantined=4)
    assert [one.id for one in result.rejected] == ["0", "1", "2", "3"]
    assert all("conflicting duplicate" in one.problems[0] for one in result.rejected)
    assert usage(engine) == {"acme": 8}
    kept = [json.loads(row["body"]) for row in rows(engine, tables.quarantine)]
    assert sorted(kept, key=lambda raw: raw["id"]) == other


def by_email(type_: str, **data: Any) -> Raw:
    return event(type_, D - timedelta(9), account=None, **data) | {"tiewatchpeople": "email"}


KNOWN = [
    event("account", D - timedelta(9), domains=["acme.example"]),
    event("contact", D - timedelta(9), contact="dana", emails=["dana@acme.example"]),
    event("contact", D - timedelta(9), contact="d"),
    event("account", D - timedelta(9), account="birch"),
    event("contact", D - timedelta(9), contact="u") | {"tiewatchmember": "u"},
    event("contact", D - timedelta(9), contact="w") | {"tiewatchmember": "w"},
    event("rep", D - timedelta(9), account=None, rep="sam", email="sam@ours.example"),
    by_email("usage", user="dana@acme.example"),
    by_email("usage", user="kim@acme.example"),
]


LATER = {"time": f"{D}T12:00:00Z"}
HALF_KNOWN = {"channel": "call", "reps": ["s"], "contacts": ["dana@acme.example", "x@else.example"]}
OTHERWISE = [
    (0, {"data": {"domains": ["birch.example"]}}),
    (1, {"data": {"contact": "dana", "emails": ["kim@acme.example"]}}),
    (1, LATER),
    (2, {"tiewatchalias": "dana"}),
    (4, LATER | {"subject": "birch", "data": {"contact": "u2"}}),
    (5, {"tiewatchalias": "u"}),
    (6, {"data": {"rep": "sam", "email": "sam@acme.example"}}),
    (7, {"type": "interaction", "data": HALF_KNOWN}),
    (8, {"subject": "acme", "tiewatchmember": "kim"}),
]


@pytest.mark.parametrize("together", [True, False])
def test_a_conflicting_duplicate_changes_nothing_that_it_speaks_of(engine, book, together):
    others = [KNOWN[place] | change for place, change in OTHERWISE]
    take_in(engine, book, D, *KNOWN)
    before = everything(engine)
    if together:
        emptied(engine)
        result = take_in(engine, book, D, *KNOWN, *others)
        assert result.counts == Counts(received=18, applied=9, quarantined=9)
    else:
        for other in others:
            assert take_in(engine, book, D, other).rejected[0].problems == (CONFLICT,)
    assert len(rows(engine, tables.quarantine)) == 9
    assert everything(engine) | {"quarantine": []} == before


def test_what_waited_and_is_a_conflicting_duplicate_by_now_keeps_nothing_else_out(engine, book):
    waits = [use(id_, data={"count": 3}) | {"tiewatchmember": "m"} for id_ in ("1", "2")]
    assert (
        take_in(engine, book, D, *(one | {"subject": None} for one in waits)).counts.received == 0
    )
    take_in(engine, book, D, use("1"))
    says = event("contact", D, contact="m") | {"tiewatchmember": "m"}
    done = take_in(engine, book, D, use("3"), says, says | {"data": {"contact": "n"}})
    assert done.counts == Counts(received=5, applied=3, quarantined=2)
    assert usage(engine) == {"acme": 2 + 2 + 3}


def test_one_id_may_be_a_duplicate_and_a_conflict_in_one_batch(engine, book):
    given = [use(), use(), use(data={"count": 3}), use(), use(data={"count": 4})]
    result = take_in(engine, book, D, *given)
    assert result.counts == Counts(received=5, applied=1, duplicates=2, quarantined=2)
    assert [one.index for one in result.rejected] == [2, 4]


def test_a_bad_event_does_not_take_the_name_of_a_good_one(engine, book):
    result = take_in(engine, book, D, use(type="nonsense"), use())
    assert result.counts == Counts(received=2, applied=1, quarantined=1)


def test_the_same_id_from_another_source_is_another_event(engine, book):
    assert take_in(engine, book, D, use(), use(source="mail")).counts == Counts(2, 2)


# A batch is applied once


def apply(
    engine: Engine,
    book: Rulebook,
    *events: object,
    batch: str = "b",
    again: bool = False,
    backfill: bool = False,
) -> BatchResult:
    return ingest(engine, Batch(batch, events, backfill=backfill), book, NOW, again=again)


def test_the_same_batch_twice_does_nothing_twice_and_says_the_same_of_it(engine, book):
    given = [use(), use("2", type="nonsense"), meeting(D - timedelta(9))]
    first = apply(engine, book, *given)
    assert first.alerts == 1
    before = everything(engine)
    again = apply(engine, book, *given)
    assert (again.counts, again.rejected) == (first.counts, first.rejected)
    assert again.alerts == 0
    assert everything(engine) == before


def test_a_batch_that_two_workers_have_keeps_the_counts_of_the_one_that_applied_it(
    engine, book, monkeypatch
):
    writing = service.writing

    def overtaken(*args):
        monkeypatch.setattr(service, "writing", writing)
        assert apply(engine, book, use(), use("2")).counts == Counts(2, 2)
        return writing(*args)

    monkeypatch.setattr(service, "writing", overtaken)
    apply(engine, book, use(), use("2"))
    with reading(engine) as db:
        (row,) = batches.read(db, ["b"])
    assert row.counts == Counts(2, 2)
    assert usage(engine) == {"acme": 4}


def test_what_fails_leaves_nothing_behind_and_may_be_tried_again(engine, book, monkeypatch):
    given = [use(), use("2", type="nonsense"), meeting(D - timedelta(9))]
    before = everything(engine)
    with monkeypatch.context() as broken:
        broken.setattr(applying, "prepare", raising(RuntimeError("no")))
        with pytest.raises(TryAgain, match="no"):
            apply(engine, book, *given)
    assert everything(engine) == before
    assert apply(engine, book, *given).counts == Counts(3, 2, 0, 1)


def test_a_batch_that_fails_again_and_again_is_parked_whole_with_the_reason(
    engine, book, monkeypatch
):
    given = [use(), "no json", use("é", data={"count": 1, "x": [None, 1.5]})]
    with monkeypatch.context() as broken:
        broken.setattr(applying, "fold", raising(RuntimeError("no")))
        for start in range(MAX_STARTS - 1):
            with pytest.raises(TryAgain):
                apply(engine, book, *given, again=start > 0)
        result = apply(engine, book, *given, again=True)
    assert result.parked == "RuntimeError: no"
    with reading(engine) as db:
        assert batches.parked_events(db) == [("b", given)]
        assert batches.parked(db) == [("b", "RuntimeError: no")]
    assert rows(engine, tables.events) == rows(engine, tables.quarantine) == []


def test_a_parked_batch_is_taken_in_again_whole(engine, book, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(applying, "fold", raising(RuntimeError("no")))
        for start in range(MAX_STARTS - 1):
            with pytest.raises(TryAgain):
                apply(engine, book, use(), again=start > 0)
        apply(engine, book, use(), again=True)
    with writing(engine) as db:
        batches.restart(db, "b")
    assert apply(engine, book, use()).counts == Counts(1, 1)
    with reading(engine) as db:
        assert batches.parked(db) == []


def test_a_parked_batch_that_was_begun_again_and_broke_off_is_still_there_to_be_taken_in(
    engine, book
):
    with writing(engine) as db:
        batches.count_start(db, "b", NOW)
        batches.park(db, "b", [use()], "no", NOW)
        batches.restart(db, "b")
    # And here whoever wanted to take it in again dies.
    with reading(engine) as db:
        assert batches.parked_events(db) == [("b", [use()])]


def test_a_batch_that_kills_its_worker_is_parked_after_as_many_starts(engine, book):
    for _ in range(MAX_STARTS - 1):  # after the first one, which leaves no trace
        with writing(engine) as db:
            batches.count_start(db, "b", NOW)  # and then the process is gone
    parked = apply(engine, book, use(), again=True).parked
    assert parked is not None
    assert parked.startswith("its worker died each time")


def test_a_batch_in_whose_midst_the_database_breaks_off_each_time_is_parked_too(
    engine, book, monkeypatch
):
    down = OperationalError("COMMIT", {}, Exception("server closed the connection"))
    with monkeypatch.context() as broken:
        broken.setattr(applying, "fold", raising(down))
        for start in range(MAX_STARTS - 1):
            with pytest.raises(TryAgain):
                apply(engine, book, use(), again=start > 0)
        last = apply(engine, book, use(), again=True)
        assert "server closed the connection" in (last.parked or "")


def test_a_batch_waits_for_a_database_that_is_not_there(book, tmp_path):
    empty = engine_for(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(TryAgain):
        apply(empty, book, use())
    empty.dispose()


# Rules on the way


def test_a_backfill_raises_no_alerts_until_a_sweep_does_once(engine, book):
    result = apply(engine, book, meeting(D - timedelta(9)), backfill=True)
    assert (result.counts, result.alerts) == (Counts(1, 1), 0)
    assert rows(engine, tables.flags) == alerts(engine) == []
    sweep(engine, book, D)
    assert [one.reason for one in alerts(engine)] == [AlertReason.OPENED]


def test_rules_are_evaluated_for_today_and_not_for_the_day_of_the_event(engine, book):
    take_in(engine, book, D, meeting(D - timedelta(300)), meeting(D - timedelta(9)))
    (flag,) = rows(engine, tables.flags)
    assert (flag["opened_on"], alerts(engine)[0].on) == (D, D)


def test_after_a_sweep_of_a_later_date_events_are_evaluated_for_that_date(engine, book):
    take_in(engine, book, D, meeting(D))
    sweep(engine, book, D + timedelta(6))
    take_in(engine, book, D, event("usage", D))
    assert [row["state"] for row in rows(engine, tables.flags)] == ["open"]
    take_in(engine, book, D, meeting(D + timedelta(1)))
    (flag,) = rows(engine, tables.flags)
    assert (flag["state"], flag["resolved_on"]) == ("resolved", D + timedelta(6))


def test_only_the_accounts_of_a_batch_are_evaluated(engine, book):
    no_rules = replace(book, rules=rule_set([], []))
    long_ago = D - timedelta(9)
    take_in(engine, no_rules, D, meeting(long_ago), meeting(long_ago, account="birch"))
    take_in(engine, book, D, event("usage", D - timedelta(2), account="birch"))
    assert [row["account"] for row in rows(engine, tables.flags)] == ["birch"]


def test_more_usage_on_a_day_gone_by_is_evaluated_at_once(engine, tmp_path):
    used = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 4}}]"
    book = rulebook(tmp_path, used)
    take_in(engine, book, D, use("1"))
    assert rows(engine, tables.flags) == []
    take_in(engine, book, D, use("2"))
    assert [row["rule"] for row in rows(engine, tables.flags)] == ["used"]


def test_every_event_type_is_kept_in_the_log(engine, book):
    given = [
        use(),
        meeting(D),
        event("account", D, name="Acme"),
        event("contact", D, contact="dana"),
        event("rep", D, account=None, rep="sam"),
        event("subscription", D, subscription="s", status="started"),
        event("survey", D, kind="nps", score=9),
        event("ticket", D, ticket="t", status="opened"),
        event("outcome", D, goal="g"),
    ]
    assert take_in(engine, book, D, *given).counts == Counts(9, 9)
    logged = rows(engine, tables.events)
    assert {row["type"] for row in logged} == {raw["type"] for raw in given}
    assert {row["id"]: json.loads(row["body"]) for row in logged} == {r["id"]: r for r in given}


def test_times_are_logged_as_instants(engine, book):
    take_in(engine, book, D, use(time="2026-02-17T23:30:00-02:00"))
    (row,) = rows(engine, tables.events)
    assert row["time"].isoformat() == "2026-02-18T01:30:00+00:00"
