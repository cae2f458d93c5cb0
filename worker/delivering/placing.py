"""Placing: who hears of an alert, when, and together with what.

What it decides are messages whose keys make it the same to plan an alert once or twice. The
decisions are pure: core/routing.py says to whom, core/muting.py whether at all, core/bundles.py in
which message and when. Each keeps its reasons.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from worker.core.alerts import FOR_ADMINS, Alert, AlertReason
from worker.core.bundles import AT_A_TIME, Kind, digest_of
from worker.core.desk import Desk, crowded
from worker.core.muting import Mute, Setting, mute
from worker.core.routing import Reps, Routed, rep_of, route, unknown
from worker.core.rules import Kind as RuleKind
from worker.core.rules import Severity
from worker.core.telling import Telling
from worker.delivering.notes import Missing, of_missing_rep
from worker.store import messages, people, showing, told
from worker.store.messages import New
from worker.store.outbox import Unplanned
from worker.zones import zone

A_DAY = timedelta(hours=50)
"""So long ago, at most, a local day of today or tomorrow began."""

MOVES = frozenset({AlertReason.AWAKE, AlertReason.BACK, AlertReason.RESOLVED})
"""What digests that were sent show of a flag, beside what people answer to it."""


def placed(
    db: Connection,
    rows: Sequence[Unplanned],
    crowds: frozenset[int],
    telling: Telling,
    growth: frozenset[str],
    now: datetime,
) -> Iterator[New]:
    """What comes of these alerts, in their order.

    Of the sweeps in `crowds` nobody is told one by one; `growth` are the rules that are of growth.

    Raises:
        msgspec.ValidationError: another version of tiewatch wrote what this one cannot read.
    """
    reps = people.reps(db)
    cases = [_Case(row, row.alert) for row in rows]
    settings = _settings(db, cases, growth)
    _silence(db, cases, settings, now)
    moved = (case for case in cases if case.alert.reason in MOVES)
    showing.redraw_digests(db, ((case.alert.account, str(case.row.id)) for case in moved), now)
    ended = _told_of(db, cases)
    for case, setting in zip(cases, settings, strict=True):
        case.mute = mute(case.alert, setting, now.date())
        case.told = ended.get(case.alert.flag or 0, {}) if case.ends else {}
        case.to = _recipients(case, setting, telling, reps)
    many = crowded(_new_flags(cases), telling.many)
    desk = _desk(db, cases, reps, telling, now)
    for case in cases:
        for to in case.to:
            of_many = case.row.sweep in crowds or (case.row.sweep, to.recipient) in many
            new = _message(case, to, desk, many=of_many)
            if new is not None:
                yield new
    yield from _notes(cases, settings, telling, reps, now)


@dataclass(slots=True)
class _Case:
    """An alert on its way. `told` is who has heard of its flag, if that ends, in which kinds of
    messages; `mute` is why nobody hears of it."""

    row: Unplanned
    alert: Alert
    mute: Mute | None = None
    told: Mapping[str, frozenset[str]] = field(default_factory=dict)
    to: tuple[Routed, ...] = ()

    @property
    def ends(self) -> bool:
        return self.alert.reason is AlertReason.RESOLVED


def _settings(db: Connection, cases: Sequence[_Case], growth: frozenset[str]) -> Sequence[Setting]:
    """What the alerts fall into. Only one that was put aside can be behind a later one."""
    aside = {case.row.id: case.alert.flag for case in cases if case.row.tries and case.alert.flag}
    overtaken = told.overtaken(db, aside) if aside else frozenset()
    settings = told.settings(db, (case.alert for case in cases), growth)
    return [
        setting._replace(overtaken=case.row.id in overtaken)
        for case, setting in zip(cases, settings, strict=True)
    ]


def _silence(
    db: Connection, cases: Sequence[_Case], settings: Sequence[Setting], now: datetime
) -> None:
    """Take back what waits to be told, and need not be any more."""
    told.drop_of_flags(db, (case.alert.flag or 0 for case in cases if case.ends), Mute.OVER)
    critical = {
        case.alert.account
        for case, setting in zip(cases, settings, strict=True)
        if case.alert.severity is Severity.CRITICAL
        and case.alert.kind is RuleKind.RISK
        and not case.ends
        and mute(case.alert, setting, now.date()) is None
    }
    told.drop_low_ones(db, critical, Mute.CRITICAL)


def _told_of(db: Connection, cases: Sequence[_Case]) -> Mapping[int, Mapping[str, frozenset[str]]]:
    """What was told of the flags that have ended: kinds of messages by flag and recipient."""
    found: dict[int, dict[str, frozenset[str]]] = defaultdict(dict)
    for flag, recipient, kind in told.of_flags(db, (c.alert.flag or 0 for c in cases if c.ends)):
        found[flag][recipient] = found[flag].get(recipient, frozenset()) | {kind}
    return found


def _recipients(case: _Case, setting: Setting, telling: Telling, reps: Reps) -> tuple[Routed, ...]:
    """Who hears of it. The end of a flag is for those who were told that it had begun."""
    if case.ends and case.alert.flag is not None:
        return tuple(Routed(one, "they were told of the flag") for one in sorted(case.told))
    return route(case.alert, setting.assignee, telling.routes, reps)


def _notes(
    cases: Sequence[_Case],
    settings: Sequence[Setting],
    telling: Telling,
    reps: Reps,
    now: datetime,
) -> Iterator[New]:
    """A word to the admins, once, of each rep in whose place the default channel is told."""
    missing = {
        rep
        for case, setting in zip(cases, settings, strict=True)
        if case.mute is None and not case.ends
        for rep in unknown(case.alert, setting.assignee, telling.routes, reps)
    }
    for rep in sorted(missing):
        why = f"Rep {rep} has left, or is none that tiewatch knows"
        yield of_missing_rep(messages.rep(rep), Missing.UNKNOWN, why, now)


def _new_flags(cases: Iterable[_Case]) -> Iterator[tuple[int, str, str]]:
    """(sweep, recipient, account) of each flag that somebody is to be told of, or told again."""
    for case in cases:
        if case.row.sweep is not None and case.alert.reason in AT_A_TIME and case.mute is None:
            for to in case.to:
                yield case.row.sweep, to.recipient, case.alert.account


def _desk(
    db: Connection, cases: Iterable[_Case], reps: Reps, telling: Telling, now: datetime
) -> Desk:
    recipients = {to.recipient for case in cases for to in case.to}
    desk = Desk(telling, {one: zone_of(one, reps, telling) for one in recipients}, now)
    for had in told.since(db, recipients, now - A_DAY):
        desk.remember(had.recipient, had.bundle, Kind(had.kind), had.due_at, gone=had.gone)
    return desk


def zone_of(recipient: str, reps: Reps, telling: Telling) -> ZoneInfo:
    """The time zone of a rep, or of everyone who has none."""
    known = reps.get(rep_of(recipient) or "")
    return zone(known.timezone if known else None, telling.timezone)


def _message(case: _Case, to: Routed, desk: Desk, *, many: bool) -> New | None:
    """What becomes of the alert for one recipient; None if nothing does."""
    row, alert = case.row, case.alert
    in_digest = case.told.get(to.recipient, frozenset()) == {Kind.DIGEST}
    key, bundle = f"{row.id}/{to.recipient}", messages.account_bundle(row.account)
    if case.mute and case.ends:
        if in_digest:
            return None
        # Without a word, yet no card may go on saying that the flag is open.
        why = f"{to.why}; without a word: {case.mute}"
        return New(key, to.recipient, row.account, bundle, Kind.UPDATE, row.body, desk.now,
                   alert.flag, alert.reason, why)  # fmt: skip
    if case.mute:
        return New(key, to.recipient, row.account, bundle, Kind.ALERT, row.body, desk.now,
                   alert.flag, alert.reason, to.why, case.mute)  # fmt: skip
    if alert.reason in FOR_ADMINS:
        return New(key, to.recipient, row.account, f"note/{row.key}", Kind.NOTE, row.body,
                   desk.now, None, alert.reason, to.why)  # fmt: skip
    placed = desk.place(alert, to.recipient, in_digest=in_digest, many=many)
    body = row.body
    if placed.kind is Kind.DIGEST:
        on = placed.due_at.astimezone(desk.zones[to.recipient]).date()
        body = msgspec.json.encode(digest_of(alert, placed.why, on)).decode()
    return New(
        key,
        to.recipient,
        row.account,
        placed.bundle,
        placed.kind,
        body,
        placed.due_at,
        alert.flag,
        alert.reason,
        f"{to.why}; {placed.why}",
    )
