"""Who is told what, when and together with what: alerts in the outbox to messages that wait."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import DBAPIError

from tests.alerts import alert
from tests.pipeline import rows
from worker.core.alerts import Alert, AlertReason
from worker.core.quiet import QuietTimes
from worker.core.rules import Kind as RuleKind
from worker.core.rules import Recipient, RecipientKind, Severity
from worker.core.telling import Route, Telling
from worker.delivering import placing, planning
from worker.store import holds, outbox, tables
from worker.store.database import writing

NOW = datetime(2026, 6, 3, 10, tzinfo=UTC)  # a Wednesday, 6:00 in New York
GENTLE = Telling()
NIGHTS = Telling(quiet=QuietTimes((time(18), time(8)), (5, 6)))
RESOLVED = AlertReason.RESOLVED
OWNER = Recipient(RecipientKind.OWNER)
CRITICAL, LOW = Severity.CRITICAL, Severity.LOW


@pytest.fixture
def engine(engine: Engine) -> Engine:
    people = [
        {"rep": "sam", "timezone": "America/New_York", "manager": "ada"},
        {"rep": "kim", "timezone": "Pacific/Auckland", "manager": None},
        {"rep": "ada", "timezone": "nowhere", "manager": None},
    ]
    with writing(engine) as db:
        db.execute(insert(tables.reps), people)
    return engine


def flag(engine: Engine, id_: int, *, account: str = "acme", state: str = "open", **more: Any):
    values = {
        "severity": "high",
        "rule": f"r{id_}",
        "first_true_on": NOW.date(),
        "opened_on": NOW.date(),
        "title": "t",
        "reasons": "[]",
        "rules_hash": "h",
        "shadow": False,
    }
    given = {"id": id_, "account": account, "state": state}
    with writing(engine) as db:
        db.execute(insert(tables.flags).values(values | given | more))


def put(engine: Engine, *alerts: Alert, sweep: int | None = None) -> None:
    known = len(rows(engine, tables.outbox))
    with writing(engine) as db:
        outbox.put(db, [(f"k{known + n}", one) for n, one in enumerate(alerts)], NOW, sweep)


def plan(engine: Engine, telling: Telling = GENTLE, now: datetime = NOW) -> None:
    planning.plan(engine, now, telling)


def told(engine: Engine, *columns: str, state: str = "waiting") -> list[tuple[Any, ...]]:
    found = [row for row in rows(engine, tables.messages) if row["state"] == state]
    return [tuple(row[name] for name in columns) for row in found]


def send(engine: Engine, now: datetime = NOW) -> None:
    """Have all that is due arrive."""
    due = tables.messages.c.due_at <= now
    with writing(engine) as db:
        db.execute(update(tables.messages).where(due).values(state="sent", sent_at=now))


def test_the_owner_is_told_in_the_conversation_on_the_account_and_the_reasons_are_kept(engine):
    put(engine, alert())
    plan(engine)
    assert told(engine, "key", "recipient", "bundle", "kind", "due_at", "why") == [
        ("1/rep:sam", "rep:sam", "account/acme", "alert", NOW, "the account is theirs; at once")
    ]


def test_planning_again_changes_nothing(engine):
    put(engine, alert(), alert(account="b"))
    plan(engine)
    before = rows(engine, tables.messages)
    with writing(engine) as db:  # as if whoever planned them had died before saying so
        db.execute(update(tables.outbox).values(planned_at=None))
    plan(engine)
    assert rows(engine, tables.messages) == before
    assert len(before) == 2


def test_everyone_whom_the_rule_or_else_a_route_names_is_told(engine):
    manager = Recipient(RecipientKind.OWNERS_MANAGER)
    risk = Recipient(RecipientKind.CHANNEL, "risk")
    put(engine, alert(notify=(manager, risk)), alert(account="b"), alert(account="c", owner="x"))
    plan(engine, Telling(routes=(Route((risk,), segments=("smb",)),)))
    assert told(engine, "account", "recipient") == [
        ("acme", "rep:ada"),
        ("acme", "channel:risk"),
        ("b", "rep:sam"),
        ("c", "default"),
        ("", "admin"),
    ]


def test_of_reps_who_cannot_be_told_the_admins_hear_once_each(engine):
    lee = Recipient(RecipientKind.REP, "lee")
    put(engine, alert(owner="max"), alert(account="b", owner="max", notify=(lee, OWNER)))
    put(engine, alert(account="c", owner=None))
    plan(engine)
    put(engine, alert(account="d", owner="max"))
    plan(engine, now=NOW + timedelta(days=9))
    notes = told(engine, "recipient", "bundle", "body")
    notes = [(bundle, json.loads(body)) for who, bundle, body in notes if who == "admin"]
    assert [bundle for bundle, _ in notes] == [
        "note/missing/unknown/rep:lee",
        "note/missing/unknown/rep:max",
    ]
    assert all("default channel" in note["title"] for _, note in notes)
    assert all("rep event" in note["advice"] for _, note in notes)


def test_of_a_rep_who_need_not_be_told_the_admins_do_not_hear(engine):
    flag(engine, 7, assignee="kim")
    flag(engine, 8, account="b", state="dismissed")
    put(engine, alert(flag=7, owner="max"), alert(flag=8, account="b", owner="max"))
    plan(engine)
    assert told(engine, "recipient") == [("rep:kim",)]


def test_whoever_has_the_flag_is_told_instead_of_the_owner(engine):
    flag(engine, 7, assignee="kim")
    put(engine, alert(flag=7, reason=AlertReason.WORSE))
    plan(engine)
    assert told(engine, "recipient", "flag") == [("rep:kim", 7)]


def test_low_severity_waits_for_the_recipients_own_morning(engine):
    put(engine, *(alert(severity=LOW, owner=owner) for owner in ("sam", "kim", "ada")))
    plan(engine)
    assert told(engine, "recipient", "bundle", "due_at") == [
        ("rep:sam", "digest/2026-06-03", datetime(2026, 6, 3, 12, tzinfo=UTC)),
        ("rep:kim", "digest/2026-06-04", datetime(2026, 6, 3, 20, tzinfo=UTC)),
        ("rep:ada", "digest/2026-06-04", datetime(2026, 6, 4, 8, tzinfo=UTC)),
    ]
    body = json.loads(told(engine, "body")[0][0])
    assert body["why"] == "of low severity"
    assert [line["account"]["id"] for line in body["lines"]] == ["acme"]


def test_quiet_times_hold_delivery_by_the_recipients_clock(engine):
    put(engine, alert(), alert(account="b", owner="kim"))
    plan(engine, NIGHTS)
    assert told(engine, "recipient", "due_at", "why") == [
        (
            "rep:sam",
            datetime(2026, 6, 3, 12, tzinfo=UTC),
            "the account is theirs; held until the recipient's quiet time is over",
        ),
        (
            "rep:kim",
            datetime(2026, 6, 3, 20, tzinfo=UTC),
            "the account is theirs; held until the recipient's quiet time is over",
        ),
    ]


def sweep(engine: Engine, *shards_done: bool) -> int:
    """A sweep with these shards; its id."""
    with writing(engine) as db:
        db.execute(
            insert(tables.sweeps).values(
                id=5, kind="daily", slot="x", on_date=NOW.date(), created_at=NOW
            )
        )
        for shard, done in enumerate(shards_done):
            db.execute(
                insert(tables.sweep_shards).values(
                    sweep=5, shard=shard, first_account="", finished_at=NOW if done else None
                )
            )
    return 5


def finish(engine: Engine) -> None:
    with writing(engine) as db:
        db.execute(update(tables.sweep_shards).values(finished_at=NOW))


def accounts(*names: str, **changes: Any) -> list[Alert]:
    return [alert(account=name, mrr=100.0 * n, **changes) for n, name in enumerate(names)]


def test_a_sweep_that_opens_many_flags_for_a_rep_becomes_one_digest(engine):
    id_ = sweep(engine, True)
    put(engine, *accounts(*"abcdef"), *accounts("y", "z", owner="kim"), sweep=id_)
    plan(engine)
    assert set(told(engine, "recipient", "bundle", "due_at")) == {
        ("rep:sam", "digest/2026-06-03", NOW),
        ("rep:kim", "account/y", NOW),
        ("rep:kim", "account/z", NOW),
    }
    assert len(told(engine, "id")) == 8


def test_many_flags_on_one_account_are_one_message_anyway(engine):
    put(engine, *(alert(rule=f"r{n}") for n in range(9)), sweep=sweep(engine, True))
    plan(engine)
    assert set(told(engine, "bundle")) == {("account/acme",)}


def test_many_flags_that_events_open_one_by_one_come_one_by_one(engine):
    put(engine, *accounts(*"abcdef"))
    plan(engine)
    assert len(set(told(engine, "bundle"))) == 6


def test_nothing_of_a_sweep_is_planned_before_it_is_over_nor_what_came_after_it(engine):
    id_ = sweep(engine, True, False)
    put(engine, *accounts("a", "b"), sweep=id_)
    put(engine, alert(account="a", reason=AlertReason.WORSE), alert(account="other"))
    plan(engine)
    assert told(engine, "account") == [("other",)]
    finish(engine)
    plan(engine)
    assert told(engine, "account") == [("other",), ("a",), ("b",), ("a",)]


def test_a_sweep_that_hangs_holds_its_alerts_up_for_an_hour_at_most(engine):
    put(engine, alert(), sweep=sweep(engine, False))
    plan(engine, now=NOW + timedelta(minutes=59))
    assert told(engine, "account") == []
    plan(engine, now=NOW + timedelta(minutes=60))
    assert told(engine, "account") == [("acme",)]


def test_a_sweep_of_more_alerts_than_one_transaction_takes_is_a_digest_for_everyone(
    engine, monkeypatch
):
    monkeypatch.setattr(planning, "AT_ONCE", 4)
    id_ = sweep(engine, True)
    put(engine, *accounts(*"abc"), *accounts("y", "z", owner="kim"), sweep=id_)
    plan(engine)
    assert {bundle[:6] for (bundle,) in told(engine, "bundle")} == {"digest"}
    assert len(told(engine, "id")) == 5


def test_beyond_the_days_budget_the_digest_takes_the_rest(engine):
    telling = Telling(budget=2)
    put(engine, *accounts("a", "b"))
    plan(engine, telling)
    send(engine)
    put(engine, *accounts("c"), alert(account="a", reason=AlertReason.WORSE))
    put(engine, alert(account="b", rule="another"), alert(account="d", owner="kim"))
    plan(engine, telling, NOW + timedelta(hours=3))
    morning = datetime(2026, 6, 4, 12, tzinfo=UTC)
    later = NOW + timedelta(hours=3)
    assert told(engine, "account", "bundle", "due_at") == [
        ("a", "account/a", later),  # a conversation of today goes on
        ("c", "digest/2026-06-04", morning),
        ("b", "account/b", later),
        ("d", "account/d", later),
    ]
    tomorrow = NOW + timedelta(hours=20)
    put(engine, *accounts("e"))
    plan(engine, telling, tomorrow)
    assert told(engine, "bundle")[-1] == ("account/e",)


def test_a_flag_that_is_resolved_before_anyone_was_told_is_told_to_nobody(engine):
    flag(engine, 7)
    put(engine, alert(flag=7))
    plan(engine, NIGHTS)
    with writing(engine) as db:
        db.execute(update(tables.flags).values(state="resolved"))
    put(engine, alert(flag=7, reason=RESOLVED))
    plan(engine, NIGHTS)
    assert told(engine, "id") == []
    assert told(engine, "error", state="dropped") == [
        ("the flag was resolved before anybody was told",)
    ]


def test_a_flag_that_opened_and_ended_before_its_planning_is_told_to_nobody(engine):
    flag(engine, 7, state="resolved")
    put(engine, alert(flag=7), alert(flag=7, reason=RESOLVED))
    plan(engine)
    assert told(engine, "id") == []
    assert len(told(engine, "id", state="dropped")) == 1


def test_a_message_that_slack_may_have_is_not_taken_back(engine):
    flag(engine, 7)
    put(engine, alert(flag=7))
    plan(engine)
    with writing(engine) as db:
        db.execute(update(tables.messages).values(tried_at=NOW))
        db.execute(update(tables.flags).values(state="resolved"))
    put(engine, alert(flag=7, reason=RESOLVED))
    plan(engine)
    assert len(told(engine, "id")) == 2


def test_the_end_of_a_flag_is_told_to_those_who_heard_of_it_and_where_they_did(engine):
    flag(engine, 7)
    flag(engine, 8, severity="low")
    put(engine, alert(flag=7, notify=(Recipient(RecipientKind.CHANNEL, "risk"),)))
    put(engine, alert(flag=8, severity=LOW))
    plan(engine)
    send(engine, NOW + timedelta(hours=3))
    ends = [alert(flag=id_, reason=RESOLVED, owner="kim") for id_ in (7, 8)]
    put(engine, *ends)
    plan(engine, now=NOW + timedelta(hours=4))
    assert told(engine, "flag", "recipient", "bundle") == [
        (7, "channel:risk", "account/acme"),
        (8, "rep:sam", "digest/2026-06-04"),
    ]
    assert '"resolved: ' in told(engine, "body")[1][0]


def hold(engine: Engine, until: date, account: str = "acme") -> None:
    with writing(engine) as db:
        db.execute(insert(tables.accounts).values(account=account, first_day=1))
        holds.put(db, account, until, NOW)


def test_nothing_is_told_of_an_account_on_hold_and_all_of_it_is_kept_with_the_reason(engine):
    hold(engine, NOW.date())
    put(engine, alert(), alert(reason=AlertReason.RENEWAL), alert(account="other"))
    plan(engine)
    assert told(engine, "account") == [("other",)]
    assert (
        told(engine, "account", "error", state="dropped")
        == [("acme", "the account is on hold")] * 2
    )
    put(engine, alert())
    plan(engine, now=NOW + timedelta(days=1))
    assert told(engine, "account")[-1] == ("acme",)


def test_what_ends_on_a_silent_account_changes_its_card_without_a_word(engine):
    flag(engine, 7)
    put(engine, alert(flag=7))
    plan(engine)
    send(engine)
    put(engine, alert(flag=7, reason=RESOLVED, lifecycle="churned"))
    plan(engine)
    assert told(engine, "kind", "bundle", "recipient") == [("update", "account/acme", "rep:sam")]


def test_a_churned_account_is_silent(engine):
    put(engine, alert(lifecycle="churned"), alert(account="b", lifecycle="active"))
    plan(engine)
    assert told(engine, "account") == [("b",)]
    assert told(engine, "error", state="dropped") == [("the account has churned",)]


def test_a_critical_flag_mutes_low_ones_of_its_account_that_wait_and_that_come(engine):
    for id_, account in ((1, "acme"), (2, "acme"), (3, "other")):
        flag(engine, id_, account=account, severity="low")
    put(engine, alert(flag=1, severity=LOW), alert(account="other", flag=3, severity=LOW))
    plan(engine)
    flag(engine, 9, severity="critical")
    put(engine, alert(flag=9, severity=CRITICAL), alert(flag=2, severity=LOW))
    plan(engine)
    assert told(engine, "flag") == [(3,), (9,)]
    assert told(engine, "flag", "error", state="dropped") == [
        (1, "a critical risk is open on the account"),
        (2, "a critical risk is open on the account"),
    ]


@pytest.mark.parametrize("state", ["snoozed", "dismissed"])
def test_what_is_snoozed_or_dismissed_meanwhile_is_not_told(engine, state):
    flag(engine, 7, state=state)
    put(engine, alert(flag=7, reason=AlertReason.REMINDER))
    plan(engine)
    assert told(engine, "id") == []
    assert len(told(engine, "id", state="dropped")) == 1


def test_rule_files_with_a_problem_are_told_to_the_admins_at_once_in_any_night(engine):
    put(engine, alert(reason=AlertReason.RULES, account="", rule=None, severity=None, owner=None))
    plan(engine, NIGHTS)
    assert told(engine, "recipient", "kind", "bundle", "due_at") == [
        ("admin", "note", "note/k0", NOW)
    ]


def test_a_critical_chance_mutes_no_risk_and_a_critical_risk_still_does(engine):
    flag(engine, 1, severity="low")
    flag(engine, 9, severity="critical", rule="expansion")
    grows = alert(flag=9, rule="expansion", severity=CRITICAL, kind=RuleKind.GROWTH)
    put(engine, alert(flag=1, severity=LOW), grows)
    planning.plan(engine, NOW, GENTLE, frozenset({"expansion"}))
    assert sorted(told(engine, "flag")) == [(1,), (9,)]
    flag(engine, 10, severity="critical", rule="silence")
    put(engine, alert(flag=10, rule="silence", severity=CRITICAL))
    planning.plan(engine, NOW, GENTLE, frozenset({"expansion"}))
    assert told(engine, "flag", state="dropped") == [(1,)]


def test_what_is_not_planned_as_its_account_churns_is_told_to_nobody(engine):
    put(engine, alert(), alert(account="b"))
    with writing(engine) as db:
        outbox.note_churned(db, ["acme"])
    put(engine, alert(title="back as a customer"))
    plan(engine)
    assert told(engine, "account", "error", state="dropped") == [
        ("acme", "the account has churned")
    ]
    assert told(engine, "account") == [("b",), ("acme",)]


def spoil(engine: Engine, *ids: int, body: str = '{"reason": "new"}') -> None:
    """Make these alerts such that they cannot be planned."""
    with writing(engine) as db:
        db.execute(update(tables.outbox).where(tables.outbox.c.id.in_(ids)).values(alert=body))


ODD = {
    "of another version": '{"reason": "new"}',
    "no JSON": "}",
    # Decoded well, and then refused by the database in the middle of a statement for all alerts.
    "of no flag that could be": '{"reason":"opened","account":"acme","on":"2026-06-03","title":"t",'
    '"flag":123456789012345678901234567890}',
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_an_alert_that_cannot_be_planned_is_put_aside_and_all_others_go_out(engine, body):
    put(engine, *accounts(*"abcdefg"))
    spoil(engine, 3, body=body)
    plan(engine)
    assert told(engine, "account") == [(name,) for name in "abdefg"]
    put(engine, alert(account="c"), alert(account="h"))
    plan(engine)
    assert told(engine, "account")[-2:] == [("c",), ("h",)]
    with writing(engine) as db:
        (aside,) = outbox.aside(db, 10)
    assert (aside.key, aside.account, aside.tries) == ("k2", "c", 1)
    assert aside.until == NOW + timedelta(minutes=1)
    assert aside.error


def test_what_was_put_aside_is_tried_again_ever_later_and_told_once_it_can_be(engine):
    put(engine, *accounts("a", "b"))
    good = rows(engine, tables.outbox)[0]["alert"]
    spoil(engine, 1)
    tried, now = [], NOW
    for _ in range(400):
        plan(engine, now=now)
        with writing(engine) as db:
            (aside,) = outbox.aside(db, 10)
        if aside.tries > len(tried):
            tried.append(now)
        now += timedelta(minutes=1)
    apart = [later - first for first, later in pairwise(tried)]
    assert [one.seconds // 60 for one in apart[:8]] == [1, 2, 4, 8, 16, 32, 60, 60]
    spoil(engine, 1, body=good)
    with writing(engine) as db:
        assert outbox.try_again(db, now) == 1
    plan(engine, now=now)
    assert told(engine, "account", "due_at") == [("b", NOW), ("a", now)]
    with writing(engine) as db:
        assert outbox.aside(db, 10) == []


def test_a_digest_stays_one_although_an_alert_of_its_sweep_cannot_be_planned(engine):
    put(engine, *accounts(*"abcdefg"), sweep=sweep(engine, True))
    spoil(engine, 2)
    plan(engine)
    assert set(told(engine, "bundle")) == {("digest/2026-06-03",)}
    assert len(told(engine, "id")) == 6


def test_what_was_put_aside_is_not_told_after_a_later_alert_of_its_flag(engine):
    flag(engine, 7)
    flag(engine, 8)
    put(engine, alert(flag=7), alert(flag=8, rule="r8"), alert(flag=7, reason=AlertReason.WORSE))
    put(engine, alert(flag=7, reason=AlertReason.REMINDER))
    good = {row["id"]: row["alert"] for row in rows(engine, tables.outbox)}
    spoil(engine, 2, 3)
    plan(engine)
    for id_, body in good.items():
        spoil(engine, id_, body=body)
    plan(engine, now=NOW + timedelta(minutes=1))
    assert told(engine, "flag", "reason") == [(7, "opened"), (7, "still open"), (8, "opened")]
    assert told(engine, "reason", "error", state="dropped") == [
        ("severity rose", "a later alert of the flag was told before it")
    ]


def test_what_is_planned_after_it_was_put_aside_is_one_digest_if_it_is_many(engine):
    put(engine, *accounts(*"abcdefgh"), sweep=sweep(engine, True))
    good = {row["id"]: row["alert"] for row in rows(engine, tables.outbox)}
    spoil(engine, *good)
    plan(engine)
    assert told(engine, "id") == []
    for id_ in list(good)[:-1]:
        spoil(engine, id_, body=good[id_])
    plan(engine, now=NOW + timedelta(minutes=1))
    assert set(told(engine, "bundle")) == {("digest/2026-06-03",)}
    assert len(told(engine, "id")) == 7
    with writing(engine) as db:
        assert outbox.number_aside(db) == 1


def test_a_crowd_that_was_put_aside_is_a_crowd_still(engine, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 4)
    put(engine, *accounts(*"abc"), *accounts("y", "z", owner="kim"), sweep=sweep(engine, True))
    good = {row["id"]: row["alert"] for row in rows(engine, tables.outbox)}
    spoil(engine, *good)
    plan(engine)
    for id_, body in good.items():
        spoil(engine, id_, body=body)
    plan(engine, now=NOW + timedelta(minutes=1))
    assert {bundle[:6] for (bundle,) in told(engine, "bundle")} == {"digest"}
    assert len(told(engine, "id")) == 5


def test_more_bad_alerts_than_one_transaction_puts_aside_hold_up_nothing(engine, monkeypatch):
    monkeypatch.setattr(planning, "MOST_ASIDE", 2)
    put(engine, *accounts(*"abcdefgh"))
    spoil(engine, 1, 2, 4, 7, 8)
    plan(engine)
    assert told(engine, "account") == [(name,) for name in "cef"]
    with writing(engine) as db:
        assert outbox.number_aside(db) == 5


def test_a_bad_alert_leaves_no_half_of_its_effects(engine, monkeypatch):
    """What waits of a flag is taken back with the planning of its end, and not before."""
    flag(engine, 7)
    put(engine, alert(flag=7))
    plan(engine, NIGHTS)
    put(engine, alert(flag=7, reason=RESOLVED))

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(placing, "mute", broken)
    plan(engine, NIGHTS)
    assert told(engine, "flag") == [(7,)]
    with writing(engine) as db:
        assert outbox.aside(db, 1)[0].error == "RuntimeError: a bug"


def test_with_a_database_in_trouble_no_alert_is_to_blame(engine, monkeypatch):
    put(engine, alert())

    def lost(db: Any, *_: object) -> None:
        driver = db.dialect.loaded_dbapi
        raise DBAPIError(None, None, driver.OperationalError("deadlock detected"))

    monkeypatch.setattr(placing.people, "reps", lost)
    with pytest.raises(DBAPIError, match="deadlock"):
        plan(engine)
    with writing(engine) as db:
        assert (outbox.to_plan(db), outbox.number_aside(db)) == (1, 0)
