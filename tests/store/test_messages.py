"""Messages wait in bundles: what one recipient hears of one account leaves in order."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from worker.core.bundles import Kind
from worker.store import backlog, leases, messages, pacing
from worker.store.database import engine_for, writing
from worker.store.leases import Row
from worker.store.messages import New
from worker.store.tables import messages as rows

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)
LEASE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def new(key: str, account: str = "acme", due: datetime = NOW, recipient: str = "rep:sam") -> New:
    bundle = messages.account_bundle(account)
    return New(key, recipient, account, bundle, Kind.ALERT, "{}", due)


def put(engine: Engine, *given: New) -> int:
    with writing(engine) as db:
        return messages.put(db, given, NOW)


def take(engine: Engine, now: datetime = NOW) -> list[Row]:
    with writing(engine) as db:
        return leases.take(db, now, LEASE)[0]


def taken(engine: Engine, now: datetime = NOW) -> list[list[str]]:
    """The keys of all bundles that are due, in the order in which they are taken."""
    found = []
    while bundle := take(engine, now):
        found.append([row.key for row in bundle])
    return found


def row(engine: Engine, key: str):
    with engine.connect() as db:
        return db.execute(select(rows).where(rows.c.key == key)).one()


def test_a_key_is_written_once_ever(engine: Engine):
    assert put(engine, new("a"), new("b", "other"), new("a")) == 2
    assert put(engine, new("a", "changed"), new("c")) == 1
    assert put(engine) == 0
    assert row(engine, "a").account == "acme"


def test_many_messages_are_put_in_one_statement(engine: Engine):
    assert put(engine, *(new(f"k{n}", f"a{n}") for n in range(5_000))) == 5_000


def test_what_one_recipient_hears_of_an_account_is_taken_together_and_in_order(engine: Engine):
    put(engine, new("1"), new("other", "other"), new("2"), new("kim", recipient="rep:kim"))
    assert taken(engine) == [["1", "2"], ["other"], ["kim"]]


def test_bundles_are_taken_when_due_the_longest_due_first(engine: Engine):
    put(engine, new("late", "l", NOW + 2 * SECOND), new("soon", "s", NOW + SECOND), new("now"))
    assert taken(engine, NOW) == [["now"]]
    assert taken(engine, NOW + SECOND) == [["soon"]]
    assert taken(engine, NOW + 2 * SECOND) == [["late"]]


def test_what_is_due_takes_along_what_waited_before_it(engine: Engine):
    put(engine, new("held", due=NOW + timedelta(hours=8)), new("other", "o", NOW + SECOND))
    put(engine, new("critical"))
    put(engine, new("later", due=NOW + 2 * SECOND))
    assert taken(engine) == [["held", "critical"]]
    assert taken(engine, NOW + SECOND) == [["other"]]


def test_what_was_taken_is_taken_by_nobody_else_until_the_lease_ends(engine: Engine):
    put(engine, new("a"))
    (first,) = take(engine)
    put(engine, new("b"))
    assert (first.attempts, first.leased_until) == (1, NOW + LEASE)
    assert taken(engine, NOW + LEASE - SECOND) == []
    again, behind = take(engine, NOW + LEASE)
    assert (again.key, again.attempts) == ("a", 2)
    assert (behind.key, behind.attempts) == ("b", 1)


def test_what_waits_for_its_next_attempt_holds_up_what_comes_after_it(engine: Engine):
    put(engine, new("1"), new("other", "other"))
    first = take(engine)
    with writing(engine) as db:
        leases.put_back(db, first, NOW + 10 * SECOND, "away")
    put(engine, new("2"))
    assert taken(engine, NOW + SECOND) == [["other"]]
    assert taken(engine, NOW + 10 * SECOND) == [["1", "2"]]
    kept = row(engine, "1")
    assert (kept.attempts, kept.error) == (2, "away")


def test_what_was_given_up_or_dropped_does_not_hold_up_the_next(engine: Engine):
    put(engine, new("1"))
    first = take(engine)
    with writing(engine) as db:
        leases.failed(db, first, "no channel")
    put(engine, new("2"))
    second = take(engine)
    with writing(engine) as db:
        leases.dropped(db, second, "muted")
    put(engine, new("3"))
    assert taken(engine) == [["3"]]
    assert (row(engine, "2").state, row(engine, "2").error) == ("dropped", "muted")


def test_an_attempt_that_was_none_is_not_counted(engine: Engine):
    put(engine, new("a"))
    bundle = take(engine)
    with writing(engine) as db:
        leases.put_back(db, bundle, NOW, "pause", counted=False)
    assert row(engine, "a").attempts == 0


def test_a_try_of_which_nobody_knows_the_end_is_remembered_from_its_beginning(engine: Engine):
    put(engine, new("a"))
    bundle = take(engine)
    with writing(engine) as db:
        leases.trying(db, bundle, NOW)
    put(engine, new("b"))
    first, second = take(engine, NOW + LEASE)
    assert (first.tried_at, second.tried_at) == (NOW, None)
    with writing(engine) as db:
        leases.trying(db, [first, second], NOW + LEASE)
        leases.put_back(db, [first, second], NOW + LEASE, "refused")
    first, second = take(engine, NOW + LEASE)
    assert (first.tried_at, second.tried_at) == (NOW, None)
    with writing(engine) as db:
        leases.trying(db, [first, second], NOW + LEASE)
        leases.put_back(db, [first, second], NOW + LEASE, "no answer", uncertain=True)
    first, second = take(engine, NOW + LEASE)
    assert (first.tried_at, second.tried_at) == (NOW, NOW + LEASE)


def test_whoever_lost_the_lease_cannot_move_the_rows_any_more(engine: Engine):
    put(engine, new("a"))
    slow = take(engine)
    fast = take(engine, NOW + LEASE)
    with writing(engine) as db:
        leases.put_back(db, slow, NOW, "slow")
        leases.failed(db, slow, "slow")
        leases.dropped(db, slow, "slow")
    assert row(engine, "a").state == "sending"
    with writing(engine) as db:
        leases.sent(db, fast, "C1", "1.2", NOW)
        leases.failed(db, fast, "late")
    assert row(engine, "a").state == "sent"


def test_a_message_sent_by_one_who_lost_the_lease_is_recorded_all_the_same(engine: Engine):
    put(engine, new("a"))
    slow = take(engine)
    fast = take(engine, NOW + LEASE)
    with writing(engine) as db:
        leases.sent(db, slow, "C1", "1.1", NOW)
        leases.sent(db, fast, "C1", "2.2", NOW)
    assert row(engine, "a").message_ts == "1.1"
    assert taken(engine, NOW + 3 * LEASE) == []


def test_in_a_pause_nothing_is_taken_and_a_shorter_one_does_not_end_it(engine: Engine):
    put(engine, new("a"))
    with writing(engine) as db:
        pacing.pause(db, NOW + 10 * SECOND)
        pacing.pause(db, NOW + 5 * SECOND)
        assert pacing.paused_until(db) == NOW + 10 * SECOND
    assert taken(engine, NOW + 9 * SECOND) == []
    assert taken(engine, NOW + 10 * SECOND) == [["a"]]


def test_doctor_sees_how_many_messages_are_where_and_why_some_failed(engine: Engine):
    put(engine, *(new(f"k{n}", f"a{n}") for n in range(4)))
    first, second, third = (take(engine) for _ in range(3))
    with writing(engine) as db:
        leases.sent(db, first, "C1", "1.2", NOW)
        leases.failed(db, second, "no channel")
        leases.failed(db, third, "archived")
        assert backlog.counts(db) == {
            "waiting": 1, "sending": 0, "sent": 1, "failed": 2, "dropped": 0,
        }  # fmt: skip
        assert backlog.unsent(db) == 1
        newest, oldest = backlog.failures(db, 10)
        assert backlog.failures(db, 1) == [newest]
    assert (newest.account, newest.error, newest.attempts) == ("a2", "archived", 1)
    assert (oldest.account, oldest.created_at) == ("a1", NOW)


def test_messages_given_up_can_wait_again_as_new_ones(engine: Engine):
    put(engine, new("a"), new("b", "b"))
    given_up, other = take(engine), take(engine)
    with writing(engine) as db:
        leases.failed(db, given_up, "no channel")
        leases.sent(db, other, "C1", "1.2", NOW)
        assert backlog.requeue(db, NOW + SECOND) == 1
    assert taken(engine) == []
    (again,) = take(engine, NOW + SECOND)
    assert (again.key, again.attempts) == ("a", 1)


def test_taking_passes_over_a_bundle_that_another_transaction_is_taking(postgresql_url: str):
    engine = engine_for(postgresql_url)
    put(engine, new("a"), new("b", "b"), new("a2"))
    with engine.begin() as one, engine.begin() as two:
        assert [row.key for row in leases.take(one, NOW, LEASE)[0]] == ["a", "a2"]
        one.commit()
        assert [row.key for row in leases.take(two, NOW, LEASE)[0]] == ["b"]
    engine.dispose()
