"""What a good engineer would write first: one Celery task an event, the ORM, rules as functions.

It keeps what tiewatch keeps for the four rules that ship: the event log, accounts, contacts, reps,
ties that fade (without the daily cap, the gates and late events), usage by day, flags with their
holds. Usage of today counts at once, since one last day of usage a contact is all it keeps. It
leaves out what costs time and is not needed here: alerts, quarantine, every other fact.
"""

# mypy: disallow-untyped-decorators=False
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any, TypeVar

from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy import (
    JSON,
    DateTime,
    Index,
    MetaData,
    UniqueConstraint,
    create_engine,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

TASK = "baseline.take"
"""Name of the task and of its queue. Its one argument is an event."""

app = Celery("baseline", broker=os.environ.get("BASELINE_BROKER_URL"), set_as_current=False)
app.conf.update(
    task_default_queue=TASK,
    task_acks_late=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)
engine = create_engine(os.environ.get("BASELINE_DATABASE_URL", "postgresql+psycopg://"))


@worker_process_init.connect
def _forget_the_parents_connections(**_: object) -> None:
    engine.dispose(close=False)


class Base(DeclarativeBase):
    metadata = MetaData(schema="baseline")


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("source", "id"),)
    number: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    id: Mapped[str]
    type: Mapped[str]
    time: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    account: Mapped[str | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class Account(Base):
    __tablename__ = "accounts"
    account: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    segment: Mapped[str | None]
    owner: Mapped[str | None]
    seats: Mapped[int | None]
    mrr: Mapped[float | None]
    renewal_date: Mapped[date | None]
    lifecycle: Mapped[str | None]


class Contact(Base):
    __tablename__ = "contacts"
    account: Mapped[str] = mapped_column(primary_key=True)
    contact: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    title: Mapped[str | None]
    level: Mapped[str | None]
    role: Mapped[str | None]
    left: Mapped[bool | None]
    last_used: Mapped[date | None]


class Rep(Base):
    __tablename__ = "reps"
    rep: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]


class Tie(Base):
    """Points by direction, as they were worth on `day`."""

    __tablename__ = "ties"
    account: Mapped[str] = mapped_column(primary_key=True)
    rep: Mapped[str] = mapped_column(primary_key=True)
    contact: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date | None]
    mutual: Mapped[float] = mapped_column(default=0.0)
    outbound: Mapped[float] = mapped_column(default=0.0)
    inbound: Mapped[float] = mapped_column(default=0.0)

    def add(self, day: date, direction: str, points: float) -> None:
        kept = 2 ** -((day - self.day).days / 60) if self.day and self.day < day else 1
        for name in ("mutual", "outbound", "inbound"):
            setattr(self, name, getattr(self, name) * kept)
        setattr(self, direction, getattr(self, direction) + points)
        self.day = max(self.day or day, day)

    def score(self, on: date) -> float:
        low, high = sorted((self.outbound, self.inbound))
        x = self.mutual + low + 0.2 * (high - low)
        x *= 2 ** -((on - self.day).days / 60) if self.day else 0
        return 100 * x / (x + 6)


class UsageDay(Base):
    __tablename__ = "usage_days"
    account: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Flag(Base):
    __tablename__ = "flags"
    __table_args__ = (Index("ix_flags_account_state", "account", "state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    rule: Mapped[str]
    state: Mapped[str]
    true_since: Mapped[date]
    false_since: Mapped[date | None]


Row = TypeVar("Row", bound=Base)


@app.task(name=TASK, autoretry_for=(IntegrityError,), retry_backoff=True)
def take(event: dict[str, Any]) -> None:
    """Take one event in, unless it is there already: log, stats, rules, flags, commit."""
    time = datetime.fromisoformat(event["time"])
    with Session(engine) as session:
        known = select(Event.number).filter_by(source=event["source"], id=event["id"])
        if session.scalar(known) is not None:
            return
        session.add(
            Event(
                source=event["source"],
                id=event["id"],
                type=event["type"],
                time=time,
                account=event.get("subject"),
                body=event,
            )
        )
        if event["type"] == "rep":
            _set(get_or_create(session, Rep, rep=event["data"]["rep"]), event["data"])
        else:
            account = get_or_create(session, Account, lock=True, account=event["subject"])
            _fold(session, account, event["type"], event["data"], time.astimezone(UTC).date())
            judge(session, account, datetime.now(UTC).date())
        session.commit()


def get_or_create(session: Session, model: type[Row], *, lock: bool = False, **key: Any) -> Row:
    """The row with this key, made if there is none, by whoever comes first."""
    row = session.get(model, key, with_for_update=lock or None)
    if row is not None:
        return row
    try:
        with session.begin_nested():
            row = model(**key)
            session.add(row)
    except IntegrityError:
        return session.get_one(model, key, with_for_update=lock or None)
    return row


def _fold(session: Session, account: Account, type_: str, data: dict[str, Any], day: date) -> None:
    key = account.account
    match type_:
        case "usage":
            used = get_or_create(session, UsageDay, account=key, day=day)
            used.count = (used.count or 0) + data.get("count", 1)
            if user := data.get("user"):
                contact = get_or_create(session, Contact, account=key, contact=user)
                contact.last_used = max(contact.last_used or day, day)
        case "interaction":
            _interact(session, key, data, day)
        case "account":
            _set(account, data)
        case "contact":
            _set(get_or_create(session, Contact, account=key, contact=data["contact"]), data)
        case "subscription":
            account.seats = data.get("seats", account.seats)
            if account.renewal_date is None and data.get("term_end"):
                account.renewal_date = date.fromisoformat(data["term_end"])


_POINTS = {"meeting": 3.0, "call": 2.0, "email": 1.0, "chat": 0.5, "other": 1.0}


def _interact(session: Session, account: str, data: dict[str, Any], day: date) -> None:
    counts = data.get("status", "held") == "held" and not data.get("automatic")
    addressed, copied = data["contacts"], data.get("cc", [])
    people = dict.fromkeys((*addressed, *copied))
    for rep in data["reps"]:
        get_or_create(session, Rep, rep=rep)
        for contact in people:
            get_or_create(session, Contact, account=account, contact=contact)
            if counts:
                points = _POINTS[data["channel"]] if contact in addressed else 0.25
                tie = get_or_create(session, Tie, account=account, rep=rep, contact=contact)
                tie.add(day, data.get("direction", "mutual"), points / min(sqrt(len(people)), 5))


def _set(row: Base, data: dict[str, Any]) -> None:
    for name, value in data.items():
        if name == "renewal_date" and value:
            value = date.fromisoformat(value)
        if name in row.__table__.columns:
            setattr(row, name, value)


EXECS = ("director", "vp", "c_level")
USERS = ("user", "champion", "admin")


@dataclass
class Facts:
    """What the rules look at; None is unknown, or never."""

    segment: str | None
    days_to_renewal: int | None
    days_since_exec_contact: int | None
    days_since_user_contact: int | None
    strong_exec_ties: int
    user_ties: int
    adoption: float | None
    usage_change: float | None


def facts_of(session: Session, account: Account, today: date) -> Facts:
    """The facts of an account, from its rows."""
    key = account.account
    contacts = session.scalars(select(Contact).filter_by(account=key)).all()
    ties = session.scalars(select(Tie).filter_by(account=key)).all()
    execs = {c.contact for c in contacts if c.level in EXECS}
    users = {c.contact for c in contacts if c.role in USERS or _used(c, today, 90)}
    here = {c.contact for c in contacts if not c.left}
    strong = {t.contact for t in ties if t.score(today) >= 50} & here
    alive = {t.contact for t in ties if t.score(today) >= 5} & here
    seats = sum(_used(contact, today, 30) for contact in contacts)
    recent, before = _usage(session, key, today, 30), _usage(session, key, today, 60)
    before -= recent
    renewal = account.renewal_date
    return Facts(
        segment=account.segment,
        days_to_renewal=(renewal - today).days if renewal else None,
        days_since_exec_contact=_silence(ties, execs, today),
        days_since_user_contact=_silence(ties, users, today),
        strong_exec_ties=len(strong & execs),
        user_ties=len(alive & users),
        adoption=100 * seats / account.seats if account.seats else None,
        usage_change=100 * (recent - before) / before if before else None,
    )


def _used(contact: Contact, today: date, days: int) -> bool:
    return contact.last_used is not None and (today - contact.last_used).days <= days


def _silence(ties: Sequence[Tie], people: set[str], today: date) -> int | None:
    days = [tie.day for tie in ties if tie.contact in people and tie.day]
    return (today - max(days)).days if days else None


def _usage(session: Session, account: str, today: date, days: int) -> int:
    begin = today - timedelta(days=days)
    total = select(func.sum(UsageDay.count)).where(
        UsageDay.account == account, UsageDay.day >= begin, UsageDay.day < today
    )
    return session.scalar(total) or 0


def _renewal_without_exec_contact(f: Facts) -> bool:
    window = 90 if f.segment == "enterprise" else 45
    near = f.days_to_renewal is not None and 0 <= f.days_to_renewal <= window
    return near and (f.days_since_exec_contact is None or f.days_since_exec_contact > 15)


def _single_threaded(f: Facts) -> bool:
    return f.strong_exec_ties < (2 if f.segment in ("enterprise", "mid-market") else 1)


def _adoption_without_user_ties(f: Facts) -> bool:
    return f.adoption is not None and f.adoption >= 75 and f.user_ties == 0


def _adoption_falling_without_contact(f: Facts) -> bool:
    falling = f.usage_change is not None and f.usage_change <= -20
    return falling and (f.days_since_user_contact is None or f.days_since_user_contact >= 30)


RULES: dict[str, tuple[Callable[[Facts], bool], int, int]] = {
    "renewal-without-exec-contact": (_renewal_without_exec_contact, 0, 0),
    "single-threaded": (_single_threaded, 2, 3),
    "adoption-without-user-ties": (_adoption_without_user_ties, 0, 0),
    "adoption-falling-without-contact": (_adoption_falling_without_contact, 0, 0),
}
"""By id: the condition, the days it holds before it opens, the days it stays open."""


def judge(session: Session, account: Account, today: date) -> None:
    """Move the account's flags to where its facts say."""
    if account.lifecycle in ("trial", "onboarding", "churned"):
        return
    facts = facts_of(session, account, today)
    live = select(Flag).where(Flag.account == account.account, Flag.state != "resolved")
    flags = {flag.rule: flag for flag in session.scalars(live)}
    for rule, (condition, hold, keep_open) in RULES.items():
        flag = flags.get(rule)
        if condition(facts):
            if flag is None:
                flag = Flag(account=account.account, rule=rule, state="pending", true_since=today)
                session.add(flag)
            flag.false_since = None
            if (today - flag.true_since).days >= hold:
                flag.state = "open"
        elif flag is not None and flag.state == "pending":
            session.delete(flag)
        elif flag is not None:
            flag.false_since = flag.false_since or today
            if (today - flag.false_since).days >= keep_open:
                flag.state = "resolved"


def worker(database: str, broker: str, processes: int) -> tuple[list[str], dict[str, str]]:
    """Arguments for Python, and the variables, that run its worker."""
    arguments = ["-m", "celery", "-A", "bench.baseline", "worker", f"--concurrency={processes}"]
    arguments += ["--without-gossip", "--without-mingle", "--loglevel=warning"]
    return arguments, {"BASELINE_DATABASE_URL": database, "BASELINE_BROKER_URL": broker}
