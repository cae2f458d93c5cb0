"""Contracts that came to their end in a period, and whether they were renewed.

A contract is a term of a subscription that is no trial. It is renewed by a later term of the same
subscription, or by a subscription that takes its place: customers who change plan often get a new
one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.core.subscriptions import SubscriptionEvent

REPLACED_WITHIN = 31
"""Days before or after a contract's end within which a new subscription can take its place."""


class Due(NamedTuple):
    """A contract whose term ended on `day` (an ordinal), the first day that it did not cover."""

    subscription: str
    day: int
    renewed: bool


class _Term(NamedTuple):
    start: int
    end: int | None
    is_trial: bool


@dataclass(slots=True)
class _Signed:
    """A subscription: its terms by first day, and the day it churned if that is its last word."""

    terms: dict[int, _Term] = field(default_factory=dict)
    churned_on: int | None = None


def contracts_due(events: Sequence[SubscriptionEvent], first: int, last: int) -> list[Due]:
    """The contracts of one account that ended from `first` to `last`, as far as known by then.

    `events` are the account's, in order of stamp, none after `last`. Each new subscription takes
    the place of one contract at most.
    """
    signed = _signed(events)
    ended = sorted(
        (term.end, name, term)
        for name, one in signed.items()
        for term in one.terms.values()
        if term.end is not None and first <= term.end <= last
        and term.start < term.end and not term.is_trial
    )  # fmt: skip
    fresh = sorted(_beginnings(signed))
    found = []
    for end, name, term in ended:
        renewed = _goes_on(signed[name], term)
        if not renewed:
            heir = next((one for one in fresh if _takes_over(one, name, end)), None)
            if heir is not None:
                fresh.remove(heir)
                renewed = True
        found.append(Due(name, end, renewed))
    return found


def _signed(events: Iterable[SubscriptionEvent]) -> dict[str, _Signed]:
    signed: dict[str, _Signed] = defaultdict(_Signed)
    for event in events:
        said, one = event.data, signed[event.data.subscription]
        one.churned_on = event.day if said.status == "churned" else None
        if said.term_start:
            start = said.term_start.toordinal()
            end = said.term_end.toordinal() if said.term_end else None
            one.terms[start] = _Term(start, end, said.status == "trial")
        elif said.status not in ("trial", "churned"):  # a trial that became a contract as it is
            for start, term in one.terms.items():
                if term.is_trial and (term.end is None or event.day <= term.end):
                    one.terms[start] = term._replace(is_trial=False)
    return signed


def _goes_on(one: _Signed, term: _Term) -> bool:
    later = (
        other.start
        for other in one.terms.values()
        if other.start > term.start
        and (other.end is None or term.end is None or other.end > term.end)
    )
    start = min(later, default=None)
    return start is not None and (one.churned_on is None or one.churned_on > start)


def _beginnings(signed: dict[str, _Signed]) -> Iterable[tuple[int, str, int | None]]:
    """(first day, subscription, end) of the first contract of each subscription that stands."""
    for name, one in signed.items():
        starts = [term for term in one.terms.values() if not term.is_trial]
        if starts and one.churned_on is None:
            begin = min(starts)
            yield begin.start, name, begin.end


def _takes_over(fresh: tuple[int, str, int | None], name: str, end: int) -> bool:
    start, other, until = fresh
    return other != name and abs(start - end) <= REPLACED_WITHIN and (until is None or until > end)
