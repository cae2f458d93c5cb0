"""What every message, list and card says of an account."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from worker.core.commercial import mrr_of, renewal_day
from worker.core.stats import AccountStats
from worker.core.subscriptions import terms_on


class Account(Struct, frozen=True, kw_only=True):
    """An account on a date. `mrr` is a month's revenue in `currency`; `owner` is a rep's id."""

    id: str
    name: str | None = None
    segment: str | None = None
    mrr: float | None = None
    currency: str | None = None
    renewal_date: date | None = None
    owner: str | None = None
    owner_name: str | None = None


def account_of(stats: AccountStats, on: date, rep_names: Mapping[str, str]) -> Account:
    """An account as of the UTC date; `rep_names` are by id."""
    terms = terms_on(stats.contracts.subscriptions, on.toordinal())
    renewal = renewal_day(stats, terms, on.toordinal())
    return Account(
        id=stats.account,
        name=stats.name,
        segment=stats.segment,
        mrr=mrr_of(stats, terms),
        currency=stats.currency,
        renewal_date=None if renewal is None else date.fromordinal(renewal),
        owner=stats.owner,
        owner_name=rep_names.get(stats.owner or ""),
    )
