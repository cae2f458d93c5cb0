"""What becomes of a message to a webhook: taken, refused, tried again, or left waiting."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import Engine, select

from tests.deliveries import Clock
from tests.receiver import SECRET, Receiver
from tests.slack_server import DROP_AFTER, DROP_BEFORE, OK, Answer, hang, slow_down, status
from worker.core.webhooks import Webhook
from worker.delivering import webhook_delivery
from worker.delivering.delivery import Delivered
from worker.store import receivers, resuming, tables, webhooks
from worker.store.database import reading, writing
from worker.store.receivers import Standing
from worker.store.resuming import OVERTAKEN, Resumed
from worker.store.webhooks import New
from worker.webhooks import posting

OTHER_SECRET = "whsec_YW5vdGhlciBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaA=="


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with Receiver().run() as receiver:
        yield receiver


@pytest.fixture
def other() -> Iterator[Receiver]:
    with Receiver().run() as receiver:
        yield receiver


def put(engine: Engine, clock: Clock, *keys: str, webhook: str = "crm") -> None:
    """Messages; their account is the first letter of the key."""
    new = [
        New(key, webhook, key[0], "test", f'{{"type":"test","data":{{"key":"{key}"}}}}')
        for key in keys
    ]
    with writing(engine) as db:
        webhooks.put(db, new, clock())


def run(engine: Engine, clock: Clock, secret: str | None = SECRET, **receivers: Receiver):
    told = tuple(Webhook(name, one.url()) for name, one in receivers.items())
    return webhook_delivery.deliver(engine, told, lambda name: secret, clock)


def heard(receiver: Receiver) -> list[str]:
    return [one.id for one in receiver.heard]


def standing(engine: Engine, name: str = "crm") -> Standing:
    with reading(engine) as db:
        return receivers.standings(db)[name]


def states(engine: Engine) -> dict[str, str]:
    of = tables.webhook_messages.c
    with reading(engine) as db:
        return dict(db.execute(select(of.key, of.state)).all())


def test_what_is_due_is_sent_once_and_an_accounts_in_order(engine, clock, crm):
    put(engine, clock, "a1", "b1", "a2", "a3", "c1")
    assert run(engine, clock, crm=crm) == Delivered(5, 0, 0)
    assert run(engine, clock, crm=crm) == Delivered(0, 0, 0)
    assert sorted(heard(crm)) == ["a1", "a2", "a3", "b1", "c1"]
    assert [key for key in heard(crm) if key[0] == "a"] == ["a1", "a2", "a3"]
    assert crm.unproven == []


@pytest.mark.parametrize("trouble", [status(500), status(502), status(408), DROP_BEFORE])
def test_trouble_is_tried_again_later_with_the_same_id_before_what_comes_after(
    engine, clock, crm, trouble
):
    crm.next(trouble)
    put(engine, clock, "a1", "a2")
    assert run(engine, clock, crm=crm) == Delivered(0, 0, 2)
    assert run(engine, clock, crm=crm) == Delivered(0, 0, 2)
    assert crm.asked == 1
    clock.passes(seconds=30)
    assert run(engine, clock, crm=crm) == Delivered(2, 0, 0)
    assert heard(crm) == ["a1", "a2"]
    assert crm.heard[0].timestamp == clock().replace(microsecond=0)  # signed anew each time


def test_what_was_taken_without_an_answer_is_told_again_with_the_same_id(engine, clock, crm):
    crm.next(DROP_AFTER)
    put(engine, clock, "a1")
    run(engine, clock, crm=crm)
    clock.passes(seconds=30)
    run(engine, clock, crm=crm)
    assert heard(crm) == ["a1", "a1"]


def test_a_message_that_always_fails_holds_up_no_other_account(engine, clock, crm):
    put(engine, clock, "a1", "b1")
    crm.next(status(500), OK)
    assert run(engine, clock, crm=crm) == Delivered(1, 0, 1)
    put(engine, clock, "c1", "d1")
    assert run(engine, clock, crm=crm).sent == 2
    assert standing(engine).paused_until is None


def test_trouble_is_waited_out_longer_each_time(engine, clock, crm):
    put(engine, clock, "a1")
    waits = []
    for _ in range(9):
        crm.next(status(500))
        run(engine, clock, crm=crm)
        pause = standing(engine).paused_until - clock()
        waits.append(pause.total_seconds())
        clock.passes(seconds=waits[-1])
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert crm.asked == 9


def test_after_days_of_trying_it_is_given_up_and_can_be_asked_for_again(engine, clock, crm):
    put(engine, clock, "a1", "a2")
    with writing(engine) as db:
        db.execute(tables.webhook_messages.update().values(attempts=79))
    crm.next(status(500))
    assert run(engine, clock, crm=crm).failed == 1
    assert standing(engine).refused == "80 attempts, the last one: 500 Internal Server Error"
    with writing(engine) as db:
        assert resuming.resume(db, "crm", clock()) == Resumed(again=1, overtaken=0)
    assert run(engine, clock, crm=crm).sent == 2


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_who_asks_for_a_pause_gets_it_and_it_counts_as_no_attempt(engine, clock, crm, form):
    until = clock() + timedelta(seconds=90)
    crm.next(slow_down("90" if form == "seconds" else format_datetime(until)))
    put(engine, clock, "a1")
    run(engine, clock, crm=crm)
    put(engine, clock, "b1")
    clock.passes(seconds=89)
    assert run(engine, clock, crm=crm).sent == 0
    assert standing(engine).error == "429 Too Many Requests"
    clock.passes(seconds=1)
    assert run(engine, clock, crm=crm).sent == 2
    with reading(engine) as db:
        assert set(db.scalars(select(tables.webhook_messages.c.attempts))) == {1}


@pytest.mark.parametrize(
    "asked", [None, "soon", "-5", "9" * 400, f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}"]
)
def test_a_pause_that_is_not_said_or_without_sense_is_a_short_or_bounded_one(
    engine, clock, crm, asked
):
    crm.next(slow_down(asked))
    put(engine, clock, "a1")
    run(engine, clock, crm=crm)
    pause = standing(engine).paused_until - clock()
    assert pause == timedelta(days=1) if asked == "9" * 400 else pause <= timedelta(seconds=30)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(400, b"no\tsuch \x1b[31mfield"), "400 Bad Request: no such [31mfield"),
        (status(404, b""), "404 Not Found"),
        (
            Answer(302, headers={"Location": "http://169.254.169.254/secrets"}),
            "302 Found, to http://169.254.169.254/secrets: redirects are not followed",
        ),
    ],
)
def test_what_is_refused_is_given_up_for_good_and_the_next_goes_on(
    engine, clock, crm, answer, said
):
    crm.next(answer)
    put(engine, clock, "a1", "a2")
    assert run(engine, clock, crm=crm) == Delivered(1, 1, 0)
    assert heard(crm) == ["a2"]
    assert standing(engine).refused == said


def test_gone_stops_it_until_somebody_resumes_it_and_nothing_is_lost(engine, clock, crm):
    crm.next(status(410))
    put(engine, clock, "a1", "a2")
    run(engine, clock, crm=crm)
    clock.passes(days=30)
    put(engine, clock, "b1")
    assert run(engine, clock, crm=crm) == Delivered(0, 0, 3)
    assert crm.asked == 1
    assert standing(engine).error == "410 Gone"
    with writing(engine) as db:
        resuming.resume(db, "crm", clock())
    assert run(engine, clock, crm=crm).sent == 3
    assert standing(engine).stopped_at is None


def test_one_that_hangs_or_trickles_holds_up_no_other_for_longer_than_its_timeout(
    engine, clock, crm, other, monkeypatch
):
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 0.6)
    crm.next(hang(3, posts=False), Answer(trickles=True))
    put(engine, clock, "a1", "b1")
    put(engine, clock, *(f"{n}" for n in range(10, 60)), webhook="other")
    began = time.monotonic()
    assert run(engine, clock, crm=crm, other=other).sent == 50
    assert time.monotonic() - began < 3
    assert standing(engine).error == "no answer within 0.6 seconds"
    assert standing(engine).paused_until == clock() + timedelta(seconds=30)


def test_little_of_an_answer_is_read(engine, clock, crm):
    crm.next(status(500, b"x" * 5_000_000))
    put(engine, clock, "a1")
    began = time.monotonic()
    run(engine, clock, crm=crm)
    assert time.monotonic() - began < 2
    assert standing(engine).error == "500 Internal Server Error"


def test_one_that_cannot_be_reached_is_tried_again(engine, clock, other):
    gone = Webhook("crm", "http://127.0.0.1:9/nobody")
    put(engine, clock, "a1")
    webhook_delivery.deliver(engine, (gone,), lambda name: SECRET, clock)
    assert standing(engine).error.startswith("no answer: ")
    assert states(engine) == {"a1": "waiting"}


@pytest.mark.parametrize("secret", [None, "", "whsec_", "whsec_not base64!", "A" * 25])
def test_without_a_secret_that_can_be_one_everything_waits(engine, clock, crm, secret):
    put(engine, clock, "a1")
    assert run(engine, clock, secret or None, crm=crm) == Delivered(0, 0, 1)
    assert crm.asked == 0
    assert run(engine, clock, crm=crm).sent == 1


def test_what_goes_wrong_with_one_is_waited_out_and_the_others_are_told(
    engine, clock, crm, monkeypatch
):
    real = webhook_delivery.post

    async def post(http, url, *given):
        if "odd" in url:
            raise RuntimeError("never thought of")
        return await real(http, url, *given)

    monkeypatch.setattr(webhook_delivery, "post", post)
    put(engine, clock, "a1")
    put(engine, clock, "b1", webhook="odd")
    told = (Webhook("crm", crm.url()), Webhook("odd", "http://odd.invalid/"))
    assert webhook_delivery.deliver(engine, told, lambda name: SECRET, clock).sent == 1
    assert standing(engine, "odd").paused_until > clock()


def test_a_receiver_that_has_failed_for_days_is_still_waited_for(engine, clock, crm):
    put(engine, clock, "a1")
    with writing(engine) as db:
        for _ in range(60):
            receivers.pause(db, "crm", clock(), "500", counted=True)
    crm.next(status(500))
    run(engine, clock, crm=crm)
    assert standing(engine).paused_until > clock()


def test_while_a_secret_is_changed_both_sign(engine, clock, crm):
    put(engine, clock, "a1")
    assert run(engine, clock, f"{OTHER_SECRET} {SECRET}", crm=crm).sent == 1


def test_nobody_else_sends_to_a_webhook_while_somebody_does(engine, clock, crm):
    put(engine, clock, "a1")
    until = clock() + webhook_delivery.LEASE
    with writing(engine) as db:
        assert receivers.lease(db, "crm", clock(), until)
    assert run(engine, clock, crm=crm).sent == 0
    clock.passes(seconds=60)  # whoever had it has died
    assert run(engine, clock, crm=crm).sent == 1


def test_a_pass_begins_nothing_after_its_time(engine, clock, crm):
    put(engine, clock, *(f"{n}" for n in range(10, 40)))
    told = (Webhook("crm", crm.url()),)

    def slowly() -> datetime:
        clock.passes(seconds=1)
        return clock()

    done = webhook_delivery.deliver(engine, told, lambda _: SECRET, slowly, timedelta(seconds=9))
    assert 0 < done.sent < 30
    with reading(engine) as db:
        assert receivers.is_due(db, ["crm"], clock())


def say(engine: Engine, clock: Clock, **messages: dict[str, object]) -> None:
    """Messages of one account, by key, with what they say."""
    new = [
        New(key, "crm", "acme", "test", json.dumps({"type": "test", "data": content}))
        for key, content in messages.items()
    ]
    with writing(engine) as db:
        webhooks.put(db, new, clock())


def facts(**values: int) -> dict[str, object]:
    return {"changes": [{"fact": name, "new": new} for name, new in values.items()]}


def resume(engine: Engine, clock: Clock) -> Resumed:
    with writing(engine) as db:
        return resuming.resume(db, "crm", clock())


def test_what_was_given_up_is_not_sent_after_newer_words_on_the_same(engine, clock, crm):
    crm.next(*[status(400)] * 5)
    opened, other = {"flag": 1, "state": "open"}, {"flag": 2, "state": "open"}
    say(engine, clock, a=opened, b=other, c=facts(health=1), d=facts(health=2, mrr=2), e=opened)
    run(engine, clock, crm=crm)
    say(engine, clock, f={"flag": 1, "state": "resolved"}, g=facts(health=3))
    run(engine, clock, crm=crm)
    assert heard(crm) == ["f", "g"]
    assert resume(engine, clock) == Resumed(again=2, overtaken=3)
    run(engine, clock, crm=crm)
    assert heard(crm)[2:] == ["b", "d"]
    assert crm.heard[-1].data == facts(mrr=2)
    assert [key for key, state in sorted(states(engine).items()) if state == "dropped"] == [*"ace"]
    of = tables.webhook_messages.c
    with reading(engine) as db:
        assert set(db.scalars(select(of.error).where(of.state == "dropped"))) == {OVERTAKEN}


def test_what_was_given_up_is_sent_before_newer_words_that_wait(engine, clock, crm):
    crm.next(status(400), status(500))
    say(engine, clock, a={"flag": 1, "state": "open"}, b={"flag": 1, "state": "resolved"})
    run(engine, clock, crm=crm)
    assert resume(engine, clock) == Resumed(again=1, overtaken=0)
    run(engine, clock, crm=crm)
    assert heard(crm) == ["a", "b"]


def test_a_newer_word_that_may_be_on_its_way_counts_as_told(engine, clock, crm):
    crm.next(status(400), status(500))
    say(engine, clock, a={"flag": 1, "state": "open"}, b={"flag": 1, "state": "resolved"})
    run(engine, clock, crm=crm)
    clock.passes(minutes=1)
    with writing(engine) as db:
        assert receivers.lease(db, "crm", clock(), clock() + timedelta(seconds=60))
    assert resume(engine, clock) == Resumed(again=0, overtaken=1)


def test_what_was_sent_is_forgotten_after_a_week_and_what_was_given_up_after_30_days(
    engine, clock, crm
):
    crm.next(status(400))
    put(engine, clock, "a1", "a2")
    run(engine, clock, crm=crm)
    put(engine, clock, "b1")
    run(engine, clock, crm=crm)
    clock.passes(days=7, seconds=1)
    run(engine, clock, crm=crm)
    # What the account has been told since stays as well: it says what was overtaken.
    assert states(engine) == {"a1": "failed", "a2": "sent"}
    clock.passes(days=22, hours=23)
    run(engine, clock, crm=crm)
    assert "a1" in states(engine)
    clock.passes(hours=2)
    run(engine, clock, crm=crm)
    assert states(engine) == {}
