"""Delivery: what waits is sent once, in order, whatever becomes of Slack and of whoever sends."""

import io
import multiprocessing
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, select, update

from tests import slack_server
from tests.alerts import alert
from tests.deliveries import NOW, TOKEN, know, row, run, tell, told
from tests.slack_server import DROP_AFTER, DROP_BEFORE, POST, SlackServer
from worker.core.alerts import Alert
from worker.core.rules import Severity
from worker.delivering import delivery, planning
from worker.delivering.delivery import LEASE, MAX_ATTEMPTS, Delivered, deliver, way
from worker.delivering.notes import Missing, of_missing_rep
from worker.delivering.sending import to_show
from worker.slack.sender import TIMEOUT, SlackConfig
from worker.slack.trouble import SendFailed, Verdict
from worker.store import backlog, leases, outbox
from worker.store.database import engine_for, writing
from worker.store.messages import put as put_messages
from worker.store.tables import messages as rows
from worker.store.tables import reps


def put(engine: Engine, *accounts: str) -> None:
    """An alert of each account named; its id is its place in the order, from 1."""
    tell(engine, *(alert(account=account) for account in accounts))


def test_what_waits_is_sent_and_its_place_in_slack_recorded(engine, slack, clock):
    put(engine, "a", "b")
    assert run(engine, slack, clock) == Delivered(sent=2, failed=0, waiting=0)
    assert told(slack) == [1, 2]
    done = row(engine, 1)
    assert (done.state, done.channel, done.sent_at) == ("sent", "C1", NOW)
    assert done.message_ts.endswith(".000001")
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert len(slack.requests) == 2


def test_a_rep_is_told_in_direct_messages_and_who_is_not_in_slack_in_the_channel(
    engine, slack, clock
):
    know(engine, sam="U1", kim=None)
    tell(engine, alert(account="a"), to="rep:sam")
    tell(engine, alert(account="b"), to="rep:kim")
    tell(engine, alert(account="c"), to="channel:C7")
    tell(engine, alert(account="d"))
    run(engine, slack, clock, admin_channel="C-admin")
    channels = [request.body["channel"] for request in slack.asked(POST)]
    assert channels == ["U1", "C1", "C7", "C1", "C-admin"]
    assert row(engine, 1).channel == "D1"


def test_of_a_rep_who_is_known_by_now_but_not_in_slack_the_admins_hear_once_more(
    engine, slack, clock
):
    with writing(engine) as db:
        put_messages(db, [of_missing_rep("rep:kim", Missing.UNKNOWN, "Rep kim has left", NOW)], NOW)
    know(engine, kim=None)
    tell(engine, alert(account="a"), to="rep:kim")
    run(engine, slack, clock, admin_channel="C-admin")
    tell(engine, alert(account="b"), to="rep:kim")
    run(engine, slack, clock, admin_channel="C-admin")
    notes = [one.body["text"] for one in slack.asked(POST) if one.body["channel"] == "C-admin"]
    assert len(notes) == 2
    assert "has left" in notes[0]
    assert "neither a slack_user nor an e-mail address" in notes[1]


def test_without_any_channel_the_alert_fails_and_says_what_to_set(engine, slack, clock):
    put(engine, "a")
    assert run(engine, slack, clock, channel=None) == Delivered(0, 1, 0)
    assert "TIEWATCH_SLACK_CHANNEL" in row(engine, 1).error


def test_without_a_token_alerts_go_to_the_console(engine, clock):
    put(engine, "a", "b")
    out = io.StringIO()
    to = way(SlackConfig(), Console(file=out))
    assert deliver(engine, to, clock) == Delivered(2, 0, 0)
    assert out.getvalue().count("Renews in 41 days") == 2
    assert row(engine, 1).channel == "console"


def test_a_temporary_failure_backs_off_and_holds_up_its_own_account_only(engine, slack, clock):
    put(engine, "a", "a", "b")
    slack.next(slack_server.status(500), slack_server.status(500))
    assert run(engine, slack, clock) == Delivered(sent=0, failed=0, waiting=3)
    assert run(engine, slack, clock) == Delivered(0, 0, 3)  # nothing is due
    clock.passes(seconds=29)
    assert run(engine, slack, clock) == Delivered(0, 0, 3)
    clock.passes(seconds=1)
    slack.next(slack_server.status(500))
    assert run(engine, slack, clock) == Delivered(sent=1, failed=0, waiting=2)
    assert told(slack) == [3]
    clock.passes(seconds=59)
    assert run(engine, slack, clock) == Delivered(0, 0, 2)
    clock.passes(seconds=1)
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    assert told(slack) == [3, 1, 2]


def test_when_slack_is_away_a_pass_does_not_try_every_row(engine, slack, clock):
    put(engine, *"abcdefgh")
    slack.next(*[slack_server.status(503)] * 8)
    assert run(engine, slack, clock) == Delivered(0, 0, 8)
    assert len(slack.requests) == delivery.TROUBLE


def test_after_about_a_day_of_trying_an_alert_is_given_up(engine, slack, clock):
    put(engine, "a")
    slack.next(*[slack_server.status(500)] * 100)
    while row(engine, 1).state != "failed":
        clock.now = max(clock.now, row(engine, 1).due_at)
        run(engine, slack, clock)
    assert len(slack.requests) == MAX_ATTEMPTS
    assert timedelta(hours=20) < clock.now - NOW < timedelta(hours=28)
    assert "500" in row(engine, 1).error


def test_before_retry_after_has_passed_nobody_sends_anything(engine, slack, clock):
    put(engine, "a", "b", "c")
    slack.next(slack_server.slow_down("7"))
    assert run(engine, slack, clock) == Delivered(0, 0, 3)
    clock.passes(seconds=6.9)
    assert run(engine, slack, clock) == Delivered(0, 0, 3)
    assert len(slack.requests) == 1
    clock.passes(seconds=0.1)
    assert run(engine, slack, clock) == Delivered(3, 0, 0)
    assert row(engine, 1).attempts == 1


def test_any_number_of_pauses_gives_no_alert_up(engine, slack, clock):
    put(engine, "a")
    slack.next(*[slack_server.slow_down("60")] * (MAX_ATTEMPTS + 5))
    for _ in range(MAX_ATTEMPTS + 5):
        assert run(engine, slack, clock).waiting == 1
        clock.passes(seconds=60)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)


def test_a_crash_between_the_answer_and_the_record_repeats_nothing(
    engine, slack, clock, monkeypatch
):
    put(engine, "a", "b", "c")
    real, records = leases.sent, []

    def dies_at_the_second(*args):
        records.append(args)
        if len(records) == 2:
            raise SystemExit
        real(*args)

    monkeypatch.setattr(leases, "sent", dies_at_the_second)
    with pytest.raises(SystemExit):
        run(engine, slack, clock)
    assert told(slack) == [1, 2]
    assert run(engine, slack, clock) == Delivered(1, 0, 1)
    clock.passes(seconds=LEASE.total_seconds())
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert told(slack) == [1, 2, 3]
    assert row(engine, 2).message_ts == slack.messages("C1")[1]["ts"]


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        (DROP_BEFORE, 2),
        (DROP_AFTER, 1),
        (slack_server.status(500), 2),
        (slack_server.status(500, posts=True), 1),
        (slack_server.hang(2, posts=False), 2),
        (slack_server.hang(2), 1),
    ],
    ids=["dropped", "taken and dropped", "500", "taken and 500", "hangs", "taken and hangs"],
)
def test_where_nobody_knows_whether_slack_took_it_that_is_looked_up_first(
    engine, slack, clock, answer, times
):
    put(engine, "a")
    slack.next(answer)
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert [request.method for request in slack.requests][1] == "conversations.history"
    assert len(slack.asked(POST)) == times
    assert [one["metadata"]["event_payload"]["alert_ids"] for one in slack.messages("C1")] == [[1]]
    assert row(engine, 1).message_ts == slack.messages("C1")[0]["ts"]


def test_direct_messages_and_channels_by_name_are_looked_through_too(engine, slack, clock):
    know(engine, sam="U1")
    slack.names["cs-team"] = "C5"
    tell(engine, alert(account="a"), to="rep:sam")
    tell(engine, alert(account="b"), to="channel:#cs-team")
    slack.next(DROP_AFTER, DROP_AFTER)
    assert run(engine, slack, clock).waiting == 2
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    assert [row(engine, id_).channel for id_ in (1, 2)] == ["D1", "C5"]
    assert len(slack.asked(POST)) == 2


def test_what_was_planned_meanwhile_is_not_taken_for_what_slack_has(engine, slack, clock):
    tell(engine, alert(account="a", title="First"))
    slack.next(DROP_AFTER)
    run(engine, slack, clock)
    tell(engine, alert(account="a", title="Second", rule="other"))
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    (root,) = slack.messages("C1")
    (reply,) = slack.messages("C1", root["ts"])
    assert (root["metadata"]["event_payload"]["alert_ids"], told(slack)) == ([1], [1, 2])
    assert reply["metadata"]["event_payload"]["alert_ids"] == [2]


def test_a_look_that_fails_sends_nothing(engine, slack, clock):
    put(engine, "a")
    slack.next(DROP_AFTER, slack_server.status(503), slack_server.slow_down("40"))
    run(engine, slack, clock)
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=60)
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=40)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(slack.asked(POST)) == 1


def test_without_the_scope_to_look_nothing_is_sent_twice_and_doctor_says_why(engine, slack, clock):
    put(engine, "a")
    slack.next(DROP_AFTER, slack_server.error("missing_scope"))
    run(engine, slack, clock)
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(0, 1, 0)
    assert "a look into C1: missing_scope" in row(engine, 1).error
    with writing(engine) as db:  # the scope is granted, and 'tiewatch deliver --failed' run
        backlog.requeue(db, clock())
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(slack.asked(POST)) == 1


def test_a_channel_too_full_to_look_through_is_left_to_people(engine, slack, clock):
    put(engine, "a")
    slack.next(DROP_BEFORE)
    run(engine, slack, clock)
    slack.channels["C1"] = [
        {"ts": f"{int(clock().timestamp())}.{n:06}", "text": "x"} for n in range(2_001)
    ]
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(0, 1, 0)
    assert "2,000" in row(engine, 1).error
    assert len(slack.asked("conversations.history")) == 10


# What a channel refuses for good.


@pytest.mark.parametrize(
    "code", ["channel_not_found", "is_archived", "not_in_channel", "user_not_found", "unheard_of"]
)
def test_what_a_channel_refuses_for_good_goes_to_the_default_channel_once(
    engine, slack, clock, code
):
    know(engine, sam="U1")
    tell(engine, alert(account="a"), to="rep:sam")
    slack.next(slack_server.error(code))
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert [request.body["channel"] for request in slack.asked(POST)] == ["U1", "C1"]
    kept = row(engine, 1)
    assert (kept.state, kept.recipient, kept.channel) == ("sent", "default", "C1")
    with writing(engine) as db:
        ((why, number),) = backlog.diverted(db, NOW).items()
    assert why.startswith("instead of rep:sam: Slack refused a message to U1: " + code)
    assert number == 1
    clock.passes(days=2)
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert len(slack.requests) == 2


@pytest.mark.parametrize("code", ["token_revoked", "invalid_auth", "missing_scope", "no_text"])
def test_what_no_channel_would_take_is_given_up_at_once(engine, slack, clock, code):
    know(engine, sam="U1")
    tell(engine, alert(account="a"), to="rep:sam")
    slack.next(slack_server.error(code))
    assert run(engine, slack, clock) == Delivered(0, 1, 0)
    clock.passes(days=2)
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert len(slack.requests) == 1
    assert code in row(engine, 1).error


def test_what_the_default_channel_refuses_too_is_given_up(engine, slack, clock):
    know(engine, sam="U1")
    tell(engine, alert(account="a"), to="rep:sam")
    slack.next(slack_server.error("user_not_found"), slack_server.error("is_archived"))
    assert run(engine, slack, clock) == Delivered(0, 1, 0)
    assert len(slack.requests) == 2


# Who is who in Slack.


def test_a_rep_without_a_slack_user_is_looked_up_by_e_mail_once(engine, slack, clock):
    slack.users["sam@vendor.example"] = "U7"
    know(engine, sam=None)
    with writing(engine) as db:
        db.execute(update(reps).values(email="sam@vendor.example"))
    tell(engine, alert(account="a"), alert(account="b"), to="rep:sam")
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    assert [request.method for request in slack.requests] == [
        "users.lookupByEmail", POST, POST,
    ]  # fmt: skip
    assert {request.body["channel"] for request in slack.asked(POST)} == {"U7"}
    clock.passes(days=8)
    tell(engine, alert(account="c"), to="rep:sam", at=clock())
    run(engine, slack, clock)
    assert len(slack.asked("users.lookupByEmail")) == 2


def test_of_a_rep_whom_slack_does_not_know_the_admins_are_told_once(engine, slack, clock):
    know(engine, sam=None)
    with writing(engine) as db:
        db.execute(update(reps).values(email="sam@vendor.example"))
    tell(engine, alert(account="a"), alert(account="b"), to="rep:sam")
    assert run(engine, slack, clock, admin_channel="CA") == Delivered(3, 0, 0)
    assert [request.body["channel"] for request in slack.posted] == ["C1", "C1", "CA"]
    assert "e-mail address of Sam (rep sam)" in slack.posted[2].body["text"]
    clock.passes(hours=1)
    tell(engine, alert(account="c"), to="rep:sam", at=clock())
    assert run(engine, slack, clock, admin_channel="CA") == Delivered(1, 0, 0)
    assert len(slack.asked("users.lookupByEmail")) == 1


def test_a_look_up_that_fails_is_tried_again_and_one_that_is_refused_is_none(engine, slack, clock):
    slack.users["sam@vendor.example"] = "U7"
    know(engine, sam=None)
    with writing(engine) as db:
        db.execute(update(reps).values(email="sam@vendor.example"))
    tell(engine, alert(account="a"), to="rep:sam")
    slack.next(slack_server.status(500))
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=30)
    slack.next(slack_server.error("missing_scope"))
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    assert {request.body["channel"] for request in slack.posted} == {"C1"}


def test_an_alert_that_kills_whoever_sends_it_is_given_up(engine, clock):
    put(engine, "a", "b")
    died = 0

    def show(one: Alert) -> None:
        nonlocal died
        if one.account == "a":
            died += 1
            raise SystemExit

    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            deliver(engine, to_show(show), clock)
        clock.passes(seconds=LEASE.total_seconds())
    assert deliver(engine, to_show(show), clock).failed == 1
    assert died == MAX_ATTEMPTS
    assert "broke off" in row(engine, 1).error
    assert row(engine, 2).state == "sent"


@pytest.mark.parametrize(
    "where", ["worker.slack.message.card", "worker.delivering.conversing.ready"]
)
def test_an_alert_that_cannot_be_laid_out_is_given_up_and_all_others_go_out(
    engine, slack, clock, monkeypatch, where
):
    put(engine, "a", "b", "c")
    before = resolve_name(where)

    def broken(*given: Any) -> Any:
        if "'b'" in repr(given):
            raise ValueError("no words for it")
        return before(*given)

    monkeypatch.setattr(where, broken)
    assert run(engine, slack, clock) == Delivered(sent=2, failed=1, waiting=0)
    assert row(engine, 2).error == "ValueError: no words for it"
    monkeypatch.undo()
    with writing(engine) as db:
        backlog.requeue(db, clock())
    assert run(engine, slack, clock) == Delivered(sent=1, failed=0, waiting=0)


@pytest.mark.parametrize(
    "where", ["worker.slack.message.card", "worker.delivering.conversing.ready"]
)
def test_of_a_conversation_only_what_cannot_be_laid_out_is_given_up(
    engine, slack, clock, monkeypatch, where
):
    tell(engine, *(alert(rule=rule, title=f"{rule} it is") for rule in ("one", "two", "three")))
    before = resolve_name(where)

    def broken(*given: Any) -> Any:
        if "two it is" in repr(given):
            raise ValueError("no words for it")
        return before(*given)

    monkeypatch.setattr(where, broken)
    assert run(engine, slack, clock) == Delivered(sent=2, failed=1, waiting=0)
    assert [row(engine, id_).state for id_ in (1, 2, 3)] == ["sent", "failed", "sent"]
    assert row(engine, 2).error == "ValueError: no words for it"
    assert row(engine, 3).attempts == 1


def test_what_was_told_and_cannot_be_laid_out_any_more_holds_up_nothing_new(
    engine, slack, clock, monkeypatch
):
    tell(engine, alert(rule="old", title="old it is"))
    run(engine, slack, clock)
    before = resolve_name("worker.slack.message.card")

    def broken(card: Any) -> Any:
        if "old it is" in repr(card):
            raise ValueError("no words for it")
        return before(card)

    monkeypatch.setattr("worker.slack.message.card", broken)
    tell(engine, alert(rule="new", title="new it is"))
    assert run(engine, slack, clock) == Delivered(sent=1, failed=0, waiting=0)
    (card,) = slack.messages("C1")
    assert "new it is" in repr(card)


def test_of_replies_only_the_one_that_cannot_be_laid_out_is_given_up(
    engine, slack, clock, monkeypatch
):
    put(engine, "a")
    run(engine, slack, clock)
    before = resolve_name("worker.slack.message.reply")

    def broken(told: Any) -> Any:
        if "two it is" in repr(told):
            raise ValueError("no words for it")
        return before(told)

    monkeypatch.setattr("worker.slack.message.reply", broken)
    later = (alert(account="a", rule=rule, title=f"{rule} it is") for rule in ("one", "two"))
    tell(engine, *later)
    assert run(engine, slack, clock) == Delivered(sent=1, failed=1, waiting=0)
    (card,) = slack.messages("C1")
    (reply,) = slack.messages("C1", card["ts"])
    assert "one it is" in reply["text"]
    assert "two it is" not in repr(card)


def test_of_a_digest_only_the_line_that_cannot_be_laid_out_is_given_up(
    engine, slack, clock, monkeypatch
):
    low = [alert(account=name, severity=Severity.LOW, owner=None) for name in "abcde"]
    with writing(engine) as db:
        outbox.put(db, [(one.account, one) for one in low], NOW)
    planning.plan(engine, NOW)
    before = resolve_name("worker.slack.message.digest")

    def broken(digest: Any) -> Any:
        if any(line.account.id in "bd" for line in digest.lines):
            raise ValueError("no words for it")
        return before(digest)

    monkeypatch.setattr("worker.slack.message.digest", broken)
    clock.passes(days=1)
    assert run(engine, slack, clock) == Delivered(sent=3, failed=2, waiting=0)
    assert len(slack.posted) == 1
    assert len(slack.posted[0].alert_ids) == 3


def test_an_alert_of_another_version_fails_by_itself(engine, slack, clock):
    put(engine, "a", "b")
    with writing(engine) as db:
        db.execute(update(rows).where(rows.c.id == 1).values(body='{"reason": "new"}'))
    assert run(engine, slack, clock) == Delivered(sent=1, failed=1, waiting=0)
    assert "cannot read" in row(engine, 1).error


def test_a_pass_ends_at_its_limit(engine, clock):
    put(engine, "a", "b", "c")
    seen = []

    def show(one: Alert) -> None:
        seen.append(one.account)
        if one.account == "a":
            raise SendFailed("no", Verdict.NEVER)

    assert deliver(engine, to_show(show), clock, limit=2) == Delivered(sent=1, failed=1, waiting=1)
    assert seen == ["a", "b"]


def test_a_pass_begins_no_send_after_its_time(engine, clock):
    put(engine, *"abcd")

    def show(_alert: Alert) -> None:
        clock.passes(seconds=6)

    done = deliver(engine, to_show(show), clock, within=timedelta(seconds=10))
    assert done == Delivered(sent=2, failed=0, waiting=2)


def test_the_token_is_nowhere_in_the_database(engine, slack, clock):
    answers = [slack_server.error("invalid_auth"), slack_server.status(500), DROP_AFTER,
               slack_server.slow_down("1")]  # fmt: skip
    put(engine, *"abcd")
    slack.next(*answers)
    run(engine, slack, clock, token="xoxb-not-to-be-seen")
    assert len(slack.requests) == 4
    with engine.connect() as db:
        assert "xoxb" not in str(db.execute(select(rows)).all())


def test_the_page_about_slack_has_the_numbers_right():
    page = " ".join((Path(__file__).parents[2] / "docs" / "slack.md").read_text().split())
    assert timedelta(hours=1) == delivery.LONGEST_BACKOFF
    for said in (
        f"after {delivery.FIRST_BACKOFF.seconds} seconds, doubling up to an hour",
        f"{MAX_ATTEMPTS} times: about a day",
        f"After {delivery.TROUBLE} such failures in a row",
        f"after {LEASE.seconds // 60} minutes",
        f"{TIMEOUT} seconds pass without a sign",
    ):
        assert said in page


def deliver_everything(url: str, base_url: str) -> None:
    """A process of its own that delivers until nothing waits."""
    engine = engine_for(url)
    to = way(SlackConfig(token=TOKEN, base_url=base_url, channel="C1", apart=0), Console())
    while deliver(engine, to, lambda: datetime.now(UTC)).waiting:
        time.sleep(0.01)


def accounts_of(engine: Engine) -> dict[int, str]:
    with engine.connect() as db:
        return dict(db.execute(select(rows.c.id, rows.c.account)).all())


def assert_each_once_and_in_order(engine: Engine, slack: SlackServer, number: int) -> None:
    assert sorted(told(slack)) == list(range(1, number + 1))
    account = accounts_of(engine)
    in_order = defaultdict(list)
    for id_ in told(slack):
        in_order[account[id_]].append(id_)
    assert all(ids == sorted(ids) for ids in in_order.values())


def test_two_processes_send_each_of_200_alerts_once_and_in_order(engine, database_url, slack):
    put(engine, *(f"account-{n % 20}" for n in range(200)))
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=deliver_everything, args=(database_url, slack.url)) for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert_each_once_and_in_order(engine, slack, 200)


def test_eight_threads_send_each_alert_once_and_in_order(database_url, slack):
    engine = engine_for(database_url)
    put(engine, *(f"account-{n % 10}" for n in range(100)))
    many = [
        threading.Thread(target=deliver_everything, args=(database_url, slack.url))
        for _ in range(8)
    ]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join(60)
    assert_each_once_and_in_order(engine, slack, 100)
    engine.dispose()


@pytest.mark.crash
def test_what_a_killed_process_had_sent_is_found_and_not_sent_again(
    engine, database_url, slack, clock
):
    put(engine, *(f"account-{n}" for n in range(10)))
    clock.now = datetime.now(UTC)
    slack.next(*[slack_server.OK] * 4, slack_server.hang(20))
    doomed = multiprocessing.get_context("spawn").Process(
        target=deliver_everything, args=(database_url, slack.url)
    )
    doomed.start()
    deadline = time.monotonic() + 60
    while len(slack.requests) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    doomed.kill()
    doomed.join()
    clock.now = datetime.now(UTC)
    assert run(engine, slack, clock) == Delivered(sent=5, failed=0, waiting=1)
    clock.now += LEASE
    assert run(engine, slack, clock) == Delivered(sent=1, failed=0, waiting=0)
    assert sorted(told(slack)) == [*range(1, 11)]
