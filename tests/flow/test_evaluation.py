"""What a rule's outcome comes to: flags, their history, and the alerts in the outbox."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from tests.pipeline import Raw, alerts, at, event, flags, meeting, rows, rulebook, sweep, take_in
from worker.core.alerts import AlertReason
from worker.evaluating.alerting import words_now
from worker.evaluating.evaluation import RULE_IS_GONE, RULE_IS_IN_SHADOW, RULE_IS_OFF, evaluate
from worker.rulebooks.rulebook import Rulebook, read_rulebook
from worker.shipped import rules_dir
from worker.store import tables
from worker.store.database import reading, writing

D = date(2026, 2, 18)

SILENCE = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over 5 days}
    except_when: {lifecycle: churned}
    advice: Call them.
"""


def book(folder: Path, text: str = SILENCE, **changes: str) -> Rulebook:
    """The rules, with the texts named replaced by others."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return rulebook(folder, text)


OURS = """
  - id: silence
    override: true
    title: "Silent for {days_since_contact}"
    severity: high
    when: quiet
    advice: Visit them.
    playbook: https://wiki.example.com/silence?a=1&b=2
conditions:
  quiet: {days_since_contact: over 5 days}
"""


def told(engine: Engine) -> list[tuple[str, AlertReason, date]]:
    return [(one.account, one.reason, one.on) for one in alerts(engine)]


def history(engine: Engine) -> list[tuple[str, str, date]]:
    return [
        (row["from_state"], row["to_state"], row["on_date"])
        for row in rows(engine, tables.flag_history)
    ]


def days(*numbers: int) -> list[date]:
    return [D + timedelta(number) for number in numbers]


def test_an_event_that_makes_a_rule_true_opens_its_flag_and_tells_of_it_once(engine, tmp_path):
    result = take_in(engine, book(tmp_path), D, meeting(D - timedelta(6)))
    assert result.alerts == 1
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert told(engine) == [("acme", AlertReason.OPENED, D)]
    assert history(engine) == [("none", "open", D)]


def test_an_event_that_makes_it_false_resolves_the_flag_and_tells_of_that(engine, tmp_path):
    rules = book(tmp_path)
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    take_in(engine, rules, D, meeting(D))
    assert flags(engine) == {}
    assert [reason for _, reason, _ in told(engine)] == [AlertReason.OPENED, AlertReason.RESOLVED]
    assert history(engine) == [("none", "open", D), ("open", "resolved", D)]


def test_a_flag_that_stays_open_is_told_once(engine, tmp_path):
    rules = book(tmp_path)
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    for day in days(0, 1, 2):
        sweep(engine, rules, day)
    assert len(told(engine)) == 1
    assert len(history(engine)) == 1


def test_a_hold_is_told_of_when_it_has_run_out_and_kept_in_no_history(engine, tmp_path):
    rules = book(tmp_path, **{"    advice: Call them.": "    hold_for: 2 days"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    sweep(engine, rules, D + timedelta(1))
    assert flags(engine) == {"acme": ["silence"]}
    assert flags(engine, "open") == {}
    assert told(engine) == history(engine) == []
    sweep(engine, rules, D + timedelta(2))
    assert told(engine) == [("acme", AlertReason.OPENED, D + timedelta(2))]
    assert history(engine) == [("pending", "open", D + timedelta(2))]
    (row,) = rows(engine, tables.flags)
    assert row["first_true_on"] == D


def test_a_hold_that_breaks_off_leaves_no_trace(engine, tmp_path):
    rules = book(tmp_path, **{"    advice: Call them.": "    hold_for: 2 days"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    take_in(engine, rules, D + timedelta(1), meeting(D + timedelta(1)))
    assert rows(engine, tables.flags) == rows(engine, tables.flag_history) == told(engine) == []


def test_a_true_except_when_resolves_at_once_whatever_the_flag_is_kept_open_for(engine, tmp_path):
    rules = book(tmp_path, **{"    advice: Call them.": "    keep_open_for: 30 days"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    take_in(engine, rules, D, event("account", D, lifecycle="churned"))
    assert flags(engine) == {}
    assert told(engine)[-1] == ("acme", AlertReason.RESOLVED, D)
    assert "churned" in " ".join(alerts(engine)[-1].why)


def test_a_true_except_when_ends_a_hold_without_a_word(engine, tmp_path):
    rules = book(tmp_path, **{"    advice: Call them.": "    hold_for: 2 days"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    take_in(engine, rules, D, event("account", D, lifecycle="churned"))
    assert flags(engine) == {}
    assert told(engine) == []


def test_after_an_exception_a_hold_starts_anew(engine, tmp_path):
    rules = book(tmp_path, **{"    advice: Call them.": "    hold_for: 2 days"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    take_in(engine, rules, D, event("account", D, lifecycle="churned"))
    later = D + timedelta(2)
    take_in(engine, rules, later, event("account", later, lifecycle="active"))
    assert flags(engine, "open") == {}
    sweep(engine, rules, D + timedelta(4))
    assert flags(engine, "open") == {"acme": ["silence"]}


def test_an_unknown_except_when_does_not_take_the_rule_out(engine, tmp_path):
    rules = book(tmp_path, **{"lifecycle: churned": "adoption: at least 75%"})
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    assert flags(engine, "open") == {"acme": ["silence"]}


def test_unknown_neither_opens_a_flag_nor_resolves_one(engine, tmp_path):
    rules = book(tmp_path, **{"days_since_contact: over 5 days": "mrr: over 100 EUR"})
    take_in(engine, rules, D, event("account", D, mrr=200))
    assert flags(engine, "open") == {"acme": ["silence"]}
    take_in(engine, rules, D, event("account", D, mrr=None))
    sweep(engine, rules, D + timedelta(9))
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert len(told(engine)) == 1


def test_a_removed_rule_resolves_its_flag_and_says_so(engine, tmp_path):
    take_in(engine, book(tmp_path), D, meeting(D - timedelta(6)))
    other = book(tmp_path, **{"id: silence": "id: other", "over 5": "over 50"})
    sweep(engine, other, D)
    assert flags(engine) == {}
    last = alerts(engine)[-1]
    assert (last.reason, last.rule, last.why) == (
        AlertReason.RESOLVED,
        "silence",
        (RULE_IS_GONE,),
    )


def test_a_removed_rule_that_was_only_pending_is_dropped_without_a_word(engine, tmp_path):
    hold = book(tmp_path, **{"    advice: Call them.": "    hold_for: 2 days"})
    take_in(engine, hold, D, meeting(D - timedelta(6)))
    sweep(engine, book(tmp_path, **{"id: silence": "id: other", "over 5": "over 50"}), D)
    assert rows(engine, tables.flags) == told(engine) == []


@pytest.mark.parametrize(("pause", "reason"), [(7, "reopened within 7 days"), (8, "opened")])
def test_a_flag_that_comes_back_soon_is_told_as_reopened(engine, tmp_path, pause, reason):
    rules = book(tmp_path, **{"days_since_contact: over 5 days": "mrr: over 100 EUR"})
    for after, mrr in ((0, 200), (1, 50), (1 + pause, 200)):
        day = D + timedelta(after)
        take_in(engine, rules, day, event("account", day, mrr=mrr))
    assert [one.reason for one in alerts(engine)] == ["opened", "resolved", reason]
    assert len(rows(engine, tables.flags)) == 2


def test_a_rule_made_more_severe_is_told_and_one_made_less_severe_is_not(engine, tmp_path):
    take_in(engine, book(tmp_path), D, meeting(D - timedelta(6)))
    sweep(engine, book(tmp_path, medium="high"), D)
    sweep(engine, book(tmp_path, medium="low"), D)
    assert [(one.reason, one.severity) for one in alerts(engine)] == [
        (AlertReason.OPENED, "medium"),
        (AlertReason.WORSE, "high"),
    ]
    assert [row["severity"] for row in rows(engine, tables.flags)] == ["low"]


def test_every_rise_of_severity_is_told_also_to_one_that_the_flag_has_had_before(engine, tmp_path):
    take_in(engine, book(tmp_path, medium="high"), D, meeting(D - timedelta(6)))
    sweep(engine, book(tmp_path, medium="low"), D)
    sweep(engine, book(tmp_path, medium="high"), D + timedelta(1))
    assert [(one.reason, one.on) for one in alerts(engine)] == [
        (AlertReason.OPENED, D),
        (AlertReason.WORSE, D + timedelta(1)),
    ]


def test_one_rules_flag_on_one_account_is_not_anothers(engine, tmp_path):
    two = SILENCE + SILENCE.replace("rules:", "").replace("id: silence", "id: quiet")
    rules = book(tmp_path, two)
    old = D - timedelta(6)
    take_in(engine, rules, D, meeting(old), meeting(old, account="birch"))
    assert flags(engine, "open") == {"acme": ["quiet", "silence"], "birch": ["quiet", "silence"]}
    take_in(engine, rules, D, meeting(D, account="birch"))
    assert flags(engine, "open") == {"acme": ["quiet", "silence"]}
    assert len(alerts(engine)) == 6


MODE = "severity: medium"


def in_mode(folder: Path, mode: str) -> Rulebook:
    return book(folder, **{MODE: f"{MODE}\n    mode: {mode}"})


def test_of_a_flag_in_shadow_nobody_is_told_from_its_opening_to_its_end(engine, tmp_path):
    shadow = in_mode(tmp_path, "shadow")
    take_in(engine, shadow, D, meeting(D))
    day = D + timedelta(7)
    assert sweep(engine, shadow, day).opened == 0
    assert history(engine) == [("none", "open", day)]
    assert sweep(engine, shadow, day + timedelta(1)).alerts == 0
    back = day + timedelta(2)
    take_in(engine, shadow, back, meeting(back))
    assert history(engine)[1:] == [("open", "resolved", back)]
    assert alerts(engine) == []


def test_a_rule_that_leaves_the_shadow_tells_what_has_been_open_there(engine, tmp_path):
    take_in(engine, in_mode(tmp_path, "shadow"), D, meeting(D))
    opened, day = D + timedelta(6), D + timedelta(20)
    sweep(engine, in_mode(tmp_path, "shadow"), opened)
    assert sweep(engine, in_mode(tmp_path, "live"), day).opened == 1
    assert told(engine) == [("acme", AlertReason.OPENED, day)]
    (alert,) = alerts(engine)
    assert alert.since == opened
    sweep(engine, in_mode(tmp_path, "live"), day + timedelta(1))
    assert len(alerts(engine)) == 1


def test_a_rule_that_goes_into_shadow_ends_what_was_told_and_goes_on_there(engine, tmp_path):
    take_in(engine, in_mode(tmp_path, "live"), D, meeting(D))
    day = D + timedelta(7)
    sweep(engine, in_mode(tmp_path, "live"), day)
    later = day + timedelta(1)
    assert sweep(engine, in_mode(tmp_path, "shadow"), later).resolved == 1
    assert told(engine) == [
        ("acme", AlertReason.OPENED, day),
        ("acme", AlertReason.RESOLVED, later),
    ]
    assert alerts(engine)[1].why == (RULE_IS_IN_SHADOW,)
    sweep(engine, in_mode(tmp_path, "shadow"), later + timedelta(1))
    assert [(row["state"], bool(row["shadow"])) for row in rows(engine, tables.flags)] == [
        ("resolved", False),
        ("open", True),
    ]
    assert len(alerts(engine)) == 2


@pytest.mark.parametrize(
    ("mode", "told_of_the_end"),
    [("live", [AlertReason.OPENED, AlertReason.RESOLVED]), ("shadow", [])],
)
def test_switching_a_rule_off_resolves_its_flags_with_that_reason(
    engine, tmp_path, mode, told_of_the_end
):
    take_in(engine, in_mode(tmp_path, mode), D, meeting(D))
    sweep(engine, in_mode(tmp_path, mode), D + timedelta(7))
    other = OTHER + "\n  - id: silence\n    title: Silent\n    severity: low\n"
    off = other + "    when: {days_since_contact: over 5 days}\n    mode: off\n"
    sweep(engine, rulebook(tmp_path, off), D + timedelta(8))
    (flag,) = rows(engine, tables.flags)
    assert flag["state"] == "resolved"
    assert rows(engine, tables.flag_history)[-1]["reasons"] == f'["{RULE_IS_OFF}"]'
    assert [alert.reason for alert in alerts(engine)] == told_of_the_end


OTHER = """
rules:
  - {id: never-used, title: Not used, severity: low, when: {usage_30d: at most 0}}
"""


def test_the_schema_holds_that_a_rule_has_one_live_flag_on_an_account(engine, tmp_path):
    take_in(engine, book(tmp_path), D, meeting(D - timedelta(6)))
    (flag,) = rows(engine, tables.flags)
    again = {name: value for name, value in flag.items() if name != "id"}
    for state in ("pending", "open", "acknowledged", "snoozed", "dismissed"):
        with pytest.raises(IntegrityError), writing(engine) as db:
            db.execute(insert(tables.flags).values(again | {"state": state}))
    with writing(engine) as db:
        for state in ("resolved", "resolved"):
            db.execute(insert(tables.flags).values(again | {"state": state}))


def test_flag_history_and_alert_are_one_transaction(engine, tmp_path):
    rules = book(tmp_path)
    day = D + timedelta(7)
    take_in(engine, book(tmp_path, **{"over 5": "over 50"}), D, meeting(D))
    with engine.connect() as db:  # and roll back
        done = evaluate(db, ["acme"], day, rules, at(day))
        assert (done.opened, done.alerts) == (1, 1)
        assert db.execute(select(tables.flags.c.state)).scalars().all() == ["open"]
        assert len(db.execute(select(tables.outbox)).all()) == 1
    for table in (tables.flags, tables.flag_history, tables.outbox):
        assert rows(engine, table) == []


def test_an_alert_that_cannot_be_written_leaves_no_flag_behind(engine, tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise RuntimeError("disk full")

    rules = book(tmp_path)
    take_in(engine, book(tmp_path, **{"over 5": "over 50"}), D, meeting(D))
    monkeypatch.setattr("worker.evaluating.evaluation.outbox.put", full)
    with pytest.raises(RuntimeError):
        sweep(engine, rules, D + timedelta(7))
    for table in (tables.flags, tables.flag_history, tables.outbox):
        assert rows(engine, table) == []


# What the alerts of the rules that ship say


@pytest.fixture
def shipped() -> Rulebook:
    return read_rulebook(rules_dir())


def customer(**more: Any) -> list[Raw]:
    """An enterprise customer whose CIO was met until 22 days ago, and who renews in 41 days."""
    start = D - timedelta(200)
    known = {"name": "Acme", "segment": "enterprise", "owner": "sam", "mrr": 20_000, "seats": 4}
    known |= {"currency": "EUR", "renewal_date": str(D + timedelta(41))}
    return [
        event("account", start, **known | more),
        event("rep", start, account=None, rep="sam", name="Sam Lee"),
        event("contact", start, contact="dana", name="Dana Ruiz", title="CIO"),
        event("contact", start, contact="lee", name="Lee Park", title="Analyst", role="user"),
        *(meeting(D - timedelta(days)) for days in (22, 30, 40)),
    ]


def alert_of(engine: Engine, rule: str, reason: AlertReason = AlertReason.OPENED):
    (found,) = [one for one in alerts(engine) if (one.rule, one.reason) == (rule, reason)]
    return found


def test_a_renewal_without_exec_contact_is_told_whole(sqlite_engine, shipped):
    take_in(sqlite_engine, shipped, D, *customer())
    alert = alert_of(sqlite_engine, "renewal-without-exec-contact")
    assert alert.title == "Renews in 41 days, last exec contact: 22 days ago"
    assert (alert.account, alert.account_name, alert.segment) == ("acme", "Acme", "enterprise")
    assert (alert.mrr, alert.currency, alert.owner) == (20_000, "EUR", "sam")
    assert (alert.severity, alert.renewal_date) == ("high", D + timedelta(41))
    assert (alert.on, alert.since) == (D, D)
    assert alert.why == (
        "time to renewal: 41 days (between 0 days and renewal window, 90 days for enterprise)",
        "last contact with an executive: 22 days ago (over 15 days)",
    )
    assert alert.who == (
        "Last executive contact: Dana Ruiz, CIO, 27 Jan 2026, 22 days ago, with Sam Lee; "
        "strong tie.",
    )
    assert alert.advice is not None
    assert alert.advice.startswith("Ask an executive for a short check-in")
    assert alert.clears is not None
    assert "the last contact with an executive is at most 15 days ago" in alert.clears


def test_adoption_without_user_ties_is_told_whole(sqlite_engine, shipped):
    uses = [event("usage", D - timedelta(3), user=user) for user in ("lee", "kim", "zoe", "ada")]
    take_in(sqlite_engine, shipped, D, *customer(), *uses)
    alert = alert_of(sqlite_engine, "adoption-without-user-ties")
    assert alert.title == "100% of the licences in use, and a tie with none of the users"
    assert alert.severity == "low"
    assert "adoption: 100% (at least 75%)" in alert.why
    assert alert.who == (
        "No contact yet with any of the 4 known users: ada; kim; Lee Park, Analyst; 1 more.",
        "Nearest other: Dana Ruiz, CIO, strong tie, 22 days ago, with Sam Lee.",
        "Used it 19 Jan 2026 to 17 Feb 2026: ada; kim; Lee Park, Analyst; zoe.",
    )
    assert alert.clears is not None
    assert "adoption is under 75%" in alert.clears


def test_adoption_falling_without_contact_is_told_whole(sqlite_engine, shipped):
    uses = [
        event("usage", D - timedelta(days), user="lee", count=n) for days, n in ((40, 9), (9, 3))
    ]
    talk = meeting(D - timedelta(50), contact="lee")
    take_in(sqlite_engine, shipped, D, *customer(), *uses, talk)
    alert = alert_of(sqlite_engine, "adoption-falling-without-contact")
    assert alert.title == "Usage -67% in 30 days, last contact with a user: 50 days ago"
    assert alert.severity == "critical"
    assert alert.who[0].startswith(
        "Last user contact: Lee Park, Analyst, 30 Dec 2025, 50 days ago, with Sam Lee; "
    )


def test_a_single_thread_is_told_two_days_after_it_was_first_seen(sqlite_engine, shipped):
    take_in(sqlite_engine, shipped, D, *customer())
    for day in days(0, 1, 2):
        sweep(sqlite_engine, shipped, day)
    alert = alert_of(sqlite_engine, "single-threaded")
    assert alert.title == "Strong exec ties: 1 of the 2 we need"
    assert (alert.since, alert.on) == (D, D + timedelta(2))


def test_the_end_of_a_flag_says_what_ended_it_and_asks_for_nothing(sqlite_engine, shipped):
    take_in(sqlite_engine, shipped, D, *customer())
    take_in(sqlite_engine, shipped, D, meeting(D))
    alert = alert_of(sqlite_engine, "renewal-without-exec-contact", AlertReason.RESOLVED)
    assert alert.why == ("last contact with an executive: today (at most 15 days)",)
    assert alert.advice is alert.clears is None


def test_an_overridden_rule_tells_what_the_override_says(engine, tmp_path):
    rules = book(tmp_path, SILENCE + OURS)
    take_in(engine, rules, D, meeting(D - timedelta(6)))
    alert = alert_of(engine, "silence")
    assert (alert.title, alert.severity, alert.advice) == (
        "Silent for 6 days",
        "high",
        "Visit them.",
    )
    assert alert.playbook == "https://wiki.example.com/silence?a=1&b=2"
    assert alert.why == ("last contact: 6 days ago (over 5 days)",)
    take_in(engine, rules, D, meeting(D))
    assert alert_of(engine, "silence", AlertReason.RESOLVED).playbook is None


def test_the_end_of_a_flag_is_not_told_with_the_numbers_of_its_beginning(sqlite_engine, shipped):
    take_in(sqlite_engine, shipped, D, *customer())
    for day in days(1, 2, 3):
        sweep(sqlite_engine, shipped, day)
    later = D + timedelta(4)
    take_in(sqlite_engine, shipped, later, meeting(later))
    alert = alert_of(sqlite_engine, "renewal-without-exec-contact", AlertReason.RESOLVED)
    assert "in 41 days" not in alert.title
    assert "22 days ago" not in alert.title


@pytest.mark.parametrize("lifecycle", ["trial", "onboarding", "churned"])
def test_the_rules_that_ship_are_silent_for_who_is_not_yet_or_no_longer_a_customer(
    sqlite_engine, shipped, lifecycle
):
    take_in(sqlite_engine, shipped, D, *customer(lifecycle=lifecycle))
    for day in days(0, 1, 2):
        sweep(sqlite_engine, shipped, day)
    assert flags(sqlite_engine) == {}
    assert [one for one in alerts(sqlite_engine) if one.rule] == []


def test_the_words_of_an_open_flag_can_be_had_as_of_any_later_day(sqlite_engine, tmp_path):
    rules = book(tmp_path)
    take_in(sqlite_engine, rules, D, meeting(D - timedelta(6)))
    (flag,) = rows(sqlite_engine, tables.flags)
    assert flag["title"] == "No contact for 6 days"
    with reading(sqlite_engine) as db:
        found = words_now(db, {("acme", "silence")}, rules, D + timedelta(3))
    title, (reason,) = found["acme", "silence"]
    assert title == "No contact for 9 days"
    assert "9 days ago" in reason


def test_an_alert_keeps_what_was_true_when_it_was_decided(sqlite_engine, tmp_path):
    rules = book(tmp_path)
    take_in(sqlite_engine, rules, D, meeting(D - timedelta(6)), event("account", D, name="Acme"))
    take_in(sqlite_engine, rules, D, event("account", D, name="Other"))
    sweep(sqlite_engine, rules, D + timedelta(3))
    (alert,) = alerts(sqlite_engine)
    assert (alert.account_name, alert.title) == ("Acme", "No contact for 6 days")


def test_an_account_that_all_is_well_with_raises_nothing(sqlite_engine, shipped):
    start = D - timedelta(60)
    vp = event("contact", start, contact="kit", title="VP Operations")
    known = [*customer(renewal_date=str(D + timedelta(20)))[:4], vp]
    for week in range(10):
        day = start + timedelta(7 * week)
        people = [meeting(day, contact) for contact in ("dana", "kit", "lee")]
        uses = [event("usage", day, user=user) for user in ("lee", "kim", "zoe")]
        new = [] if week else [*known, *(meeting(day - timedelta(1), c) for c in ("dana", "kit"))]
        earlier = [] if week else [meeting(day - timedelta(2), c) for c in ("dana", "kit")]
        take_in(sqlite_engine, shipped, day, *new, *earlier, *people, *uses)
        sweep(sqlite_engine, shipped, day)
    assert [(one.rule, one.reason) for one in alerts(sqlite_engine) if one.rule] == []
