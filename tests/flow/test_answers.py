"""Answers to flags through the store: who may give them, what each does, and that once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from tests.pipeline import alerts, at, event, meeting, rows, rulebook, sweep, take_in
from worker.core.alerts import AlertReason
from worker.core.answers import (
    Acknowledge,
    Answer,
    Assign,
    Dismiss,
    NotARisk,
    Refused,
    Snooze,
    SnoozeFor,
)
from worker.core.muting import Mute
from worker.core.quiet import QuietTimes
from worker.core.telling import Telling
from worker.delivering import planning
from worker.explaining.explain import explain
from worker.rulebooks.rulebook import Rulebook
from worker.slack_actions.answering import Done, answer
from worker.slack_actions.authority import Clicked
from worker.store import answers, tables, told
from worker.store.database import reading, writing

D = date(2026, 2, 18)

SILENCE = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over 5 days}
"""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, SILENCE)


def days(number: int) -> date:
    return D + timedelta(number)


def raised(engine: Engine, book: Rulebook) -> int:
    """Sam's account acme has been silent for six days, and its flag is open; Kim is Sam's manager,
    Ada an admin."""
    take_in(
        engine,
        book,
        D,
        event("rep", D, account=None, rep="sam", name="Sam Ito", slack_user="USAM", manager="kim"),
        event("rep", D, account=None, rep="kim", name="Kim Wu", slack_user="UKIM"),
        event("rep", D, account=None, rep="ada", email="ada@example.com"),
        event("rep", D, account=None, rep="lee", slack_user="ULEE"),
        event("account", D, name="Acme", owner="sam", mrr=900, renewal_date="2026-05-01"),
        meeting(D - timedelta(6)),
    )
    (flag,) = rows(engine, tables.flags)
    assert flag["state"] == "open"
    return int(flag["id"])


def say(
    engine: Engine,
    book: Rulebook,
    flag: int,
    given: Answer,
    *,
    by: str = "USAM",
    key: str | None = None,
    on: date = D,
    note: str | None = None,
) -> Done:
    clicked = Clicked(key or f"{by}/{given}", flag, by, admins=("ada",))
    return answer(engine, book, clicked, given, at(on, 15), note)


def flag(engine: Engine) -> dict[str, object]:
    (found,) = rows(engine, tables.flags)
    return found


def reasons(engine: Engine) -> list[AlertReason]:
    told = [alert.reason for alert in alerts(engine)]
    return [reason for reason in told if reason is not AlertReason.RENEWAL]


def test_an_answer_moves_the_flag_and_is_kept_with_who_gave_it(engine, book):
    done = say(engine, book, raised(engine, book), Acknowledge())
    assert (done.account, done.changed) == ("acme", True)
    assert flag(engine)["state"] == "acknowledged"
    (kept,) = rows(engine, tables.flag_answers)
    assert (kept["slack_user"], kept["rep"], kept["action"]) == ("USAM", "sam", "acknowledge")
    moves = [(row["from_state"], row["to_state"]) for row in rows(engine, tables.flag_history)]
    assert moves == [("none", "open"), ("open", "acknowledged")]


@pytest.mark.parametrize(
    "given", [Acknowledge(), Snooze(SnoozeFor.WEEK), Dismiss(NotARisk.KNOWN), Assign("kim")]
)
def test_the_same_click_and_a_second_one_have_one_effect(engine, book, given):
    id_ = raised(engine, book)
    assert say(engine, book, id_, given, key="first").changed
    before = [rows(engine, table) for table in (tables.flags, tables.flag_history, tables.outbox)]
    for key in ("first", "second"):
        again = say(engine, book, id_, given, key=key)
        assert not again.changed
        assert again.said
    after = [rows(engine, table) for table in (tables.flags, tables.flag_history, tables.outbox)]
    assert after == before
    assert len(rows(engine, tables.flag_answers)) == 1


def test_a_click_that_comes_late_a_second_time_does_not_undo_what_was_answered_since(engine, book):
    id_ = raised(engine, book)
    say(engine, book, id_, Acknowledge(), key="early")
    say(engine, book, id_, Snooze(SnoozeFor.WEEK), key="later")
    assert not say(engine, book, id_, Acknowledge(), key="early").changed
    assert flag(engine)["state"] == "snoozed"


def test_many_clicks_at_the_same_time_count_once(engine, book):
    id_ = raised(engine, book)
    with ThreadPoolExecutor(8) as pool:
        clicks = [
            pool.submit(say, engine, book, id_, Snooze(SnoozeFor.DAY), key=f"k{n % 4}")
            for n in range(16)
        ]
        assert sum(click.result().changed for click in clicks) == 1
    assert len(rows(engine, tables.flag_answers)) == 1


@pytest.mark.parametrize("who", ["USAM", "UKIM", "UADA"])
def test_the_owner_their_manager_and_admins_may_answer(engine, book, who):
    id_ = raised(engine, book)
    with writing(engine) as db:  # ada was found in Slack by e-mail
        found = {"email": "ada@example.com", "slack_user": "UADA", "looked_up_at": at(D)}
        db.execute(insert(tables.slack_users).values(found))
    assert say(engine, book, id_, Acknowledge(), by=who).changed


@pytest.mark.parametrize("who", ["ULEE", "UNOBODY", "", "sam"])
def test_nobody_else_may_and_nothing_changes(engine, book, who):
    id_ = raised(engine, book)
    with pytest.raises(Refused, match="Only Sam Ito or Kim Wu or ada may answer this flag"):
        say(engine, book, id_, Dismiss(NotARisk.KNOWN), by=who)
    assert flag(engine)["state"] == "open"
    assert rows(engine, tables.flag_answers) == []


def test_a_rep_who_has_left_may_answer_nothing(engine, book):
    id_ = raised(engine, book)
    take_in(engine, book, D, event("rep", D, account=None, rep="kim", left=True))
    with pytest.raises(Refused, match="Only Sam Ito or ada"):
        say(engine, book, id_, Acknowledge(), by="UKIM")


def test_the_manager_of_an_owner_who_has_left_may_answer(engine, book):
    id_ = raised(engine, book)
    take_in(engine, book, D, event("rep", D, account=None, rep="sam", left=True))
    assert say(engine, book, id_, Acknowledge(), by="UKIM").changed


def test_a_flag_of_an_account_without_an_owner_is_for_admins(engine, book):
    take_in(engine, book, D, meeting(D - timedelta(6)))
    with pytest.raises(Refused, match="its account has no owner"):
        say(engine, book, int(flag(engine)["id"]), Acknowledge())


def test_who_a_flag_is_given_to_is_told_and_may_answer_it(engine, book):
    id_ = raised(engine, book)
    assert "lee" in say(engine, book, id_, Assign("lee")).said
    assert flag(engine)["assignee"] == "lee"
    assert reasons(engine) == [AlertReason.OPENED, AlertReason.ASSIGNED]
    told = alerts(engine)[-1]
    assert (told.flag, told.title, told.account_name) == (id_, "No contact for 6 days", "Acme")
    assert say(engine, book, id_, Acknowledge(), by="ULEE").changed


def test_a_flag_is_given_to_no_one_who_is_not_there(engine, book):
    with pytest.raises(Refused, match="no rep 'ghost'"):
        say(engine, book, raised(engine, book), Assign("ghost"))


def test_a_snoozed_flag_is_told_again_on_its_day_and_says_so(engine, book):
    id_ = raised(engine, book)
    say(engine, book, id_, Snooze(SnoozeFor.WEEK))
    sweep(engine, book, days(6))
    assert flag(engine)["state"] == "snoozed"
    sweep(engine, book, days(7))
    assert flag(engine)["state"] == "open"
    assert reasons(engine) == [AlertReason.OPENED, AlertReason.AWAKE]
    assert alerts(engine)[-1].title == "No contact for 13 days"
    sweep(engine, book, days(8))
    assert len(alerts(engine)) == 2


def test_a_dismissed_flag_is_quiet_until_the_silence_is_half_as_long_again(engine, book):
    id_ = raised(engine, book)
    done = say(engine, book, id_, Dismiss(NotARisk.WRONG_DATA), note="they called")
    assert done.said == (
        "Dismissed; you hear of it again if it still holds on 19 May 2026, "
        "or once last contact is at least 13 days."
    )
    sweep(engine, book, days(6))
    assert (flag(engine)["state"], len(alerts(engine))) == ("dismissed", 1)
    sweep(engine, book, days(7))
    assert flag(engine)["state"] == "open"
    assert reasons(engine) == [AlertReason.OPENED, AlertReason.BACK]


def test_a_dismissed_flag_ends_without_a_word_and_the_next_one_is_new(engine, book):
    id_ = raised(engine, book)
    say(engine, book, id_, Dismiss(NotARisk.KNOWN))
    take_in(engine, book, days(1), meeting(days(1)))
    assert flag(engine)["state"] == "resolved"
    assert reasons(engine) == [AlertReason.OPENED]


def test_a_dismissed_flag_that_comes_back_soon_is_quiet_still_and_explained_so(engine, book):
    id_ = raised(engine, book)
    say(engine, book, id_, Assign("lee"), key="lee")
    say(engine, book, id_, Dismiss(NotARisk.KNOWN))
    take_in(engine, book, D, meeting(D))
    (told,) = explain(engine, "acme", book, D, at(D, 22))
    assert told.flag_change is not None
    assert (told.flag_change.on, told.flag_change.flag.state) == (days(6), "dismissed")
    sweep(engine, book, days(6))
    states = [(row["state"], row["assignee"]) for row in rows(engine, tables.flags)]
    assert states == [("resolved", "lee"), ("dismissed", "lee")]
    assert reasons(engine) == [AlertReason.OPENED, AlertReason.ASSIGNED]
    sweep(engine, book, days(12))
    assert len(reasons(engine)) == 2
    sweep(engine, book, days(13))
    assert reasons(engine)[2:] == [AlertReason.BACK]


def test_a_snooze_until_the_next_exec_contact_ends_with_it(engine, tmp_path):
    book = rulebook(tmp_path, SILENCE.replace("days_since_contact", "days_since_user_contact"))
    dana = event("contact", D, contact="dana", level="staff", role="user")
    vera = event("contact", D, contact="vera", level="vp")
    take_in(engine, book, D, dana, vera)
    id_ = raised(engine, book)
    say(engine, book, id_, Snooze(SnoozeFor.EXEC_CONTACT))
    take_in(engine, book, days(3), meeting(days(-1), "vera"))
    sweep(engine, book, days(20))
    assert flag(engine)["state"] == "snoozed"
    take_in(engine, book, days(21), meeting(days(21), "vera"))
    assert flag(engine)["state"] == "open"
    assert reasons(engine)[-1] is AlertReason.AWAKE


def test_there_is_nothing_to_answer_to_a_flag_that_is_over(engine, book):
    id_ = raised(engine, book)
    take_in(engine, book, D, meeting(D))
    for gone in (id_, 999):
        with pytest.raises(Refused, match="flag"):
            say(engine, book, gone, Acknowledge())
    assert rows(engine, tables.flag_answers) == []


def test_another_reason_for_the_same_answer_is_kept_and_counts_alone(engine, book):
    id_ = raised(engine, book)
    say(engine, book, id_, Dismiss(NotARisk.KNOWN))
    assert say(engine, book, id_, Dismiss(NotARisk.RULE_IS_WRONG), note="too strict").changed
    with reading(engine) as db:
        (last,) = answers.last(db, [id_]).values()
        tallies = answers.tallies(db, D)
    assert (last.by, last.words) == ("Sam Ito", "rule is wrong: too strict")
    assert tallies == {"silence": [("not_a_risk", "rule_is_wrong", 1)]}


def test_conversations_about_the_account_are_shown_again_once(engine, book):
    id_ = raised(engine, book)
    shown = {
        "account": "acme",
        "address": "C1",
        "channel": "C1",
        "root_ts": "1.1",
        "begun_at": at(D),
    }
    with writing(engine) as db:
        for recipient, account in (("rep:sam", "acme"), ("default", "acme"), ("rep:sam", "b")):
            db.execute(
                insert(tables.conversations).values(
                    shown | {"recipient": recipient, "account": account}
                )
            )
    for _ in range(2):
        say(engine, book, id_, Acknowledge(), key="click")
    waiting = {(m["recipient"], m["bundle"], m["kind"]) for m in rows(engine, tables.messages)}
    assert waiting == {("rep:sam", "account/acme", "update"), ("default", "account/acme", "update")}


@pytest.mark.parametrize(
    "given", [Snooze(SnoozeFor.WEEK), Dismiss(NotARisk.KNOWN), Snooze(SnoozeFor.RENEWAL)]
)
def test_what_an_explanation_says_of_a_quiet_flag_is_what_happens(engine, book, given):
    say(engine, book, raised(engine, book), given)
    (told,) = explain(engine, "acme", book, D, at(D, 22))
    assert told.flag is not None
    assert told.flag.quiet is not None
    assert told.flag_change is not None
    on, after = told.flag_change
    assert after is not None
    assert after.state == "open"
    for number in range(1, (on - D).days):
        sweep(engine, book, days(number))
    assert flag(engine)["state"] == told.flag.state
    sweep(engine, book, on)
    assert flag(engine)["state"] == "open"


def hold_until_evening(engine: Engine, on: date = D) -> None:
    """Plan what there is at 14:00, for people who are not disturbed before 20:00."""
    planning.plan(engine, at(on, 14), Telling(quiet=QuietTimes((time(10), time(20)))))


def waiting(engine: Engine) -> list[tuple[object, ...]]:
    return [
        (row["recipient"], row["reason"])
        for row in rows(engine, tables.messages)
        if row["state"] == "waiting"
    ]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (Snooze(SnoozeFor.WEEK), []),
        (Dismiss(NotARisk.KNOWN), []),
        (Acknowledge(), [("rep:kim", "opened")]),
        (Assign("lee"), [("rep:kim", "opened"), ("rep:lee", "assigned")]),
    ],
)
def test_what_waits_to_be_told_of_a_flag_is_taken_back_by_its_answer(engine, tmp_path, given, left):
    """Sam has seen it, say in App Home; Kim, whom the rule names too, has not."""
    book = rulebook(tmp_path, SILENCE + "    notify: [owner, rep kim]\n")
    id_ = raised(engine, book)
    hold_until_evening(engine)
    assert set(waiting(engine)) == {("rep:kim", "opened"), ("rep:sam", "opened")}
    say(engine, book, id_, given)
    hold_until_evening(engine)
    assert waiting(engine) == left


def test_a_flag_of_a_digest_that_is_dismissed_before_it_leaves_is_not_in_it(engine, tmp_path):
    book = rulebook(tmp_path, SILENCE.replace("medium", "low"))
    id_ = raised(engine, book)
    hold_until_evening(engine)
    assert [row["kind"] for row in rows(engine, tables.messages)] == ["digest"]
    say(engine, book, id_, Dismiss(NotARisk.WRONG_DATA))
    assert waiting(engine) == []


def test_who_has_acknowledged_a_flag_before_they_were_told_hears_of_its_end(engine, book):
    id_ = raised(engine, book)
    hold_until_evening(engine)
    say(engine, book, id_, Acknowledge())
    take_in(engine, book, D, meeting(D))
    hold_until_evening(engine)
    assert waiting(engine) == [("rep:sam", "resolved")]


def test_who_has_dismissed_a_flag_before_they_were_told_hears_nothing_of_it(engine, book):
    id_ = raised(engine, book)
    hold_until_evening(engine)
    say(engine, book, id_, Dismiss(NotARisk.KNOWN))
    take_in(engine, book, D, meeting(D))
    hold_until_evening(engine)
    assert waiting(engine) == []


def test_a_flag_that_ends_while_its_opening_waits_is_told_to_nobody(engine, book):
    raised(engine, book)
    hold_until_evening(engine)
    take_in(engine, book, D, meeting(D))
    hold_until_evening(engine)
    assert waiting(engine) == []


def test_no_reminder_or_escalation_of_a_flag_is_sent_that_has_been_answered(engine, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "slack.yaml").write_text("escalate_after: 1 day")
    book = rulebook(tmp_path, SILENCE + "    remind_every: 1 day\n")
    id_ = raised(engine, book)
    planning.plan(engine, at(D, 14))
    with writing(engine) as db:
        db.execute(update(tables.messages).values(state="sent", sent_at=at(D, 14)))
    sweep(engine, book, days(1))
    hold_until_evening(engine, days(1))
    assert waiting(engine) == [("rep:sam", "still open"), ("rep:kim", "not acknowledged")]
    say(engine, book, id_, Acknowledge(), by="UKIM", on=days(1))
    assert waiting(engine) == []


def churn(engine: Engine, book: Rulebook) -> None:
    take_in(engine, book, D, event("account", D, lifecycle="churned"))
    hold_until_evening(engine)


def on_hold(engine: Engine, _: Rulebook) -> None:
    with writing(engine) as db:
        told.silence(db, ["acme"], Mute.ON_HOLD, at(D, 15))


@pytest.mark.parametrize(
    ("severity", "silence"),
    [("low", churn), ("medium", on_hold)],  # in a digest, in a message of its own
)
def test_what_waits_is_taken_back_when_its_account_churns_or_is_put_on_hold(
    engine, tmp_path, silence, severity
):
    book = rulebook(tmp_path, SILENCE.replace("medium", severity))
    raised(engine, book)
    hold_until_evening(engine)
    assert waiting(engine) == [("rep:sam", "opened")]
    silence(engine, book)
    assert waiting(engine) == []
    assert flag(engine)["state"] == "open"


def test_what_is_decided_but_not_planned_as_its_account_churns_is_told_to_nobody(engine, book):
    raised(engine, book)
    churn(engine, book)
    assert waiting(engine) == []
    take_in(engine, book, days(1), event("account", days(1), lifecycle="active"))
    sweep(engine, book, days(1))
    hold_until_evening(engine, days(1))
    assert waiting(engine) == [("rep:sam", "opened")]


@pytest.mark.parametrize("silence", [churn, on_hold])
def test_what_somebody_was_given_and_that_a_flag_has_ended_outlast_a_silence(engine, book, silence):
    id_ = raised(engine, book)
    planning.plan(engine, at(D, 9))
    with writing(engine) as db:
        db.execute(update(tables.messages).values(state="sent", sent_at=at(D, 9)))
    say(engine, book, id_, Assign("lee"))
    take_in(engine, book, D, meeting(D))
    hold_until_evening(engine)
    assert waiting(engine) == [
        ("rep:lee", "assigned"),
        ("rep:sam", "resolved"),
    ]
    silence(engine, book)
    left = {row["recipient"]: row for row in rows(engine, tables.messages)}
    assert left["rep:sam"]["kind"] == "update", "its card shows the end, without a word"
    assert left["rep:sam"]["due_at"] < at(D, 20)
