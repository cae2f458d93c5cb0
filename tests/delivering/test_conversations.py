"""A conversation in Slack: one card an account and recipient, edited as its flags move."""

import json
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, insert, select, update

from tests import slack_server
from tests.alerts import alert
from tests.deliveries import NOW, config, know, row, run, tell, told
from tests.slack_server import DROP_AFTER, POST, UPDATE, Json, SlackServer
from worker.core.alerts import Alert, AlertReason
from worker.core.rules import Severity
from worker.delivering.delivery import Delivered, deliver
from worker.delivering.posting import to_slack
from worker.store import showing, tables
from worker.store.database import writing

DAY = alert().on
SAM = "rep:sam"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    know(engine, sam="U1")
    return engine


def news(rule: str = "silence", reason: AlertReason = AlertReason.OPENED, **more: Any) -> Alert:
    return alert(rule=rule, reason=reason, title=f"{rule} it is", **more)


def resolved(rule: str = "silence", on: date = DAY) -> Alert:
    return news(rule, AlertReason.RESOLVED, on=on, why=("Dana was met on 18 Feb",))


def cards(slack: SlackServer, channel: str = "D1") -> list[Json]:
    return slack.messages(channel)


def replies(slack: SlackServer, card: Json, channel: str = "D1") -> list[str]:
    return [one["text"] for one in slack.messages(channel, card["ts"])]


def says(card: Json, *words: str) -> bool:
    return all(word in json.dumps(card["blocks"], ensure_ascii=False) for word in words)


def test_flags_raised_together_are_one_message(engine, slack, clock):
    tell(engine, news("silence"), news("single", severity=Severity.MEDIUM), to=SAM)
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    (card,) = cards(slack)
    assert says(card, "silence it is", "single it is")
    assert replies(slack, card) == []
    assert row(engine, 1).message_ts == row(engine, 2).message_ts == card["ts"]
    assert row(engine, 1).conversation == row(engine, 2).conversation is not None


def test_what_comes_later_edits_the_card_and_is_said_shortly_in_its_thread(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    worse = news("silence", AlertReason.WORSE, severity=Severity.CRITICAL)
    tell(engine, worse, news("single"), to=SAM)
    assert run(engine, slack, clock) == Delivered(2, 0, 0)
    (card,) = cards(slack)
    assert says(card, "🔴", "single it is")
    (reply,) = replies(slack, card)
    assert "Now critical" in reply
    assert "single it is" in reply
    assert [request.method for request in slack.requests] == [POST, UPDATE, POST]
    assert slack.asked(UPDATE)[0].body["channel"] == "D1"


def test_when_all_is_over_the_card_is_green_and_says_what_cleared_it(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    tell(engine, resolved("silence"), to=SAM)
    run(engine, slack, clock)
    (card,) = cards(slack)
    assert says(card, "✅", "Dana was met on 18 Feb")
    assert "resolved" in replies(slack, card)[0].lower()


def test_each_recipient_and_each_account_has_a_conversation_of_its_own(engine, slack, clock):
    tell(engine, news(), to=SAM)
    tell(engine, news(), to="channel:C7")
    tell(engine, news(account="birch"), to=SAM)
    run(engine, slack, clock)
    assert (len(cards(slack)), len(cards(slack, "C7"))) == (2, 1)


@pytest.mark.parametrize(("days", "conversations"), [(7, 1), (8, 2)])
def test_a_conversation_goes_on_for_seven_days_after_its_last_flag(
    engine, slack, clock, days, conversations
):
    tell(engine, news("silence"), news("single"), to=SAM)
    run(engine, slack, clock)
    tell(engine, resolved("silence", DAY - timedelta(3)), resolved("single", DAY), to=SAM)
    run(engine, slack, clock)
    again = news("silence", AlertReason.REOPENED, on=DAY + timedelta(days))
    tell(engine, again, to=SAM)
    run(engine, slack, clock)
    assert len(cards(slack)) == conversations


def test_a_conversation_goes_on_while_a_flag_is_live_however_long(engine, slack, clock):
    tell(engine, news("silence"), news("single"), to=SAM)
    run(engine, slack, clock)
    tell(engine, resolved("silence"), to=SAM)
    run(engine, slack, clock)
    tell(engine, news("other", on=DAY + timedelta(90)), to=SAM)
    run(engine, slack, clock)
    (card,) = cards(slack)
    assert len(replies(slack, card)) == 2


def test_a_renewal_check_counts_for_the_day_on_which_it_was_told(engine, slack, clock):
    check = alert(reason=AlertReason.RENEWAL, rule=None, severity=None)
    tell(engine, check, to=SAM)
    run(engine, slack, clock)
    tell(engine, replace_on(check, 30), to=SAM)
    run(engine, slack, clock)
    assert len(cards(slack)) == 2


def replace_on(one: Alert, days: int) -> Alert:
    return msgspec.structs.replace(one, on=one.on + timedelta(days))


def test_the_card_shows_what_people_have_made_of_the_flag(engine, slack, clock):
    with writing(engine) as db:
        flag = {"account": "acme", "rule": "silence", "severity": "high", "state": "open"}
        more = {"first_true_on": DAY, "title": "", "reasons": "[]", "rules_hash": ""}
        db.execute(insert(tables.flags).values(**flag, **more))
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    with writing(engine) as db:
        db.execute(update(tables.flags).values(state="acknowledged"))
        given = {"flag": 1, "at": NOW, "on_date": DAY, "slack_user": "U1", "rep": "sam"}
        db.execute(insert(tables.flag_answers).values(key="k", action="acknowledge", **given))
        showing.show_again(db, "acme", "answer/k", NOW)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    (card,) = cards(slack)
    assert says(card, "Acknowledged by Sam")
    assert replies(slack, card) == []
    assert [request.method for request in slack.requests] == [POST, UPDATE]


def test_an_answer_changes_the_card_at_once_whatever_the_channel_s_turn(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock, apart=60)
    with writing(engine) as db:
        showing.show_again(db, "acme", "answer/k", NOW)
    assert run(engine, slack, clock, apart=60) == Delivered(1, 0, 0)
    assert len(slack.asked(UPDATE)) == 1


def test_an_edit_that_fails_on_its_way_is_made_again_and_the_reply_said_once(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    tell(engine, news("single"), to=SAM)
    slack.next(slack_server.status(500))
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=30)
    slack.next(slack_server.OK, DROP_AFTER)
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=60)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    (card,) = cards(slack)
    assert len(replies(slack, card)) == 1
    assert says(card, "single it is")
    assert told(slack) == [1, 2]


# Messages that people delete, and what else can become of a card.


def test_a_deleted_card_is_not_fought_over_and_news_begins_a_new_one(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    slack.delete("D1", cards(slack)[0]["ts"])
    tell(engine, news("single"), to=SAM)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    (card,) = cards(slack)
    assert says(card, "silence it is", "single it is")
    tell(engine, resolved("single"), to=SAM)
    run(engine, slack, clock)
    assert len(cards(slack)) == 1
    assert len(replies(slack, card)) == 1


def test_of_a_deleted_card_s_flags_the_end_is_not_told(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    slack.delete("D1", cards(slack)[0]["ts"])
    tell(engine, resolved("silence"), to=SAM)
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert cards(slack) == []
    assert (row(engine, 2).state, row(engine, 2).error) == (
        "dropped",
        "its card was deleted in Slack",
    )
    tell(engine, news("silence", AlertReason.REOPENED), to=SAM)
    run(engine, slack, clock)
    assert len(cards(slack)) == 1


def test_a_new_card_whose_answer_was_lost_is_found(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    slack.delete("D1", cards(slack)[0]["ts"])
    tell(engine, news("single"), to=SAM)
    slack.next(slack_server.error("message_not_found"), DROP_AFTER)
    assert run(engine, slack, clock) == Delivered(0, 0, 1)
    clock.passes(seconds=30)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(cards(slack)) == 1
    tell(engine, news("third"), to=SAM)
    run(engine, slack, clock)
    assert len(cards(slack)) == 1


def test_a_deleted_reply_is_left_deleted(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    (card,) = cards(slack)
    tell(engine, news("single"), to=SAM)
    run(engine, slack, clock)
    slack.delete("D1", slack.messages("D1", card["ts"])[0]["ts"])
    tell(engine, resolved("single"), to=SAM)
    run(engine, slack, clock)
    assert len(replies(slack, card)) == 1


def test_a_card_that_may_not_be_edited_any_more_is_left_and_the_reply_said(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    tell(engine, news("single"), to=SAM)
    slack.next(slack_server.error("edit_window_closed"))
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(replies(slack, cards(slack)[0])) == 1


def test_a_conversation_whose_channel_is_gone_goes_on_in_the_default_channel(engine, slack, clock):
    tell(engine, news("silence"), to="channel:C7")
    run(engine, slack, clock)
    tell(engine, news("single"), to="channel:C7")
    slack.next(slack_server.error("is_archived"))
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(cards(slack, "C1")) == 1
    assert "is_archived" in row(engine, 2).why


def test_a_rep_who_is_in_slack_only_now_gets_a_conversation_of_their_own(engine, slack, clock):
    know(engine, kim=None)
    tell(engine, news("silence"), to="rep:kim")
    run(engine, slack, clock)
    with writing(engine) as db:
        db.execute(update(tables.reps).where(tables.reps.c.rep == "kim").values(slack_user="U2"))
    tell(engine, news("single"), to="rep:kim")
    run(engine, slack, clock)
    (card,) = cards(slack, "D2")
    assert says(card, "single it is")


def test_a_rep_who_is_another_user_by_now_goes_on_as_that_one_with_all_that_was_told(
    engine, slack, clock
):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    with writing(engine) as db:
        db.execute(update(tables.reps).where(tables.reps.c.rep == "sam").values(slack_user="U2"))
        showing.show_again(db, "acme", "answer/k", NOW)
    run(engine, slack, clock)
    tell(engine, news("single"), to=SAM)
    run(engine, slack, clock)
    tell(engine, resolved("single"), to=SAM)
    run(engine, slack, clock)
    (card,) = cards(slack, "D2")
    assert says(card, "silence it is", "single it is")
    assert len(replies(slack, card, "D2")) == 1
    (old,) = cards(slack, "D1")
    assert not says(old, "single it is")
    assert replies(slack, old) == []
    assert slack.asked(UPDATE)[0].body["channel"] == "D2"


def test_another_default_channel_gets_conversations_of_its_own(engine, slack, clock):
    tell(engine, news("silence"))
    run(engine, slack, clock)
    tell(engine, news("single"))
    run(engine, slack, clock, channel="C9")
    assert len(cards(slack, "C9")) == 1


def test_an_alert_of_another_version_in_a_conversation_does_not_stop_it(engine, slack, clock):
    tell(engine, news("silence"), to=SAM)
    run(engine, slack, clock)
    with writing(engine) as db:
        db.execute(update(tables.messages).values(body='{"reason": "new"}'))
    tell(engine, news("single"), to=SAM)
    assert run(engine, slack, clock) == Delivered(1, 0, 0)
    assert len(replies(slack, cards(slack)[0])) == 1


def test_a_card_is_not_shown_again_where_there_is_none(engine, slack, clock):
    with writing(engine) as db:
        begun = {"account": "acme", "recipient": SAM, "address": "U1", "channel": "D1"}
        ended = {"root_ts": "1.1", "begun_at": NOW, "ended_on": DAY - timedelta(30)}
        db.execute(insert(tables.conversations).values(**begun, **ended))
        showing.show_again(db, "acme", "answer/k", NOW)
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert slack.requests == []
    with engine.connect() as db:
        assert db.scalars(select(tables.messages.c.state)).all() == ["dropped"]


def test_two_who_deliver_at_once_begin_one_conversation(engine, slack, clock):
    for n in range(10):
        tell(engine, *(news(f"rule-{n}", account=f"a{m}") for m in range(5)), to=SAM)
        deliver(engine, to_slack(config(slack)), clock, senders=4)
    assert len(cards(slack)) == 5
    for card in cards(slack):
        assert len(replies(slack, card)) == 9
        ids = [one["metadata"]["event_payload"]["alert_ids"] for one in slack.channels["D1"]]
    assert sorted(id_ for of in ids for id_ in of) == list(range(1, 51))
