"""The figures of a portfolio, or of a group of it, from what each of its accounts came to.

What a figure means is in `catalogue`. A share of nothing is None, not zero.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import NamedTuple

from worker.core.portfolio.contracts import Due
from worker.core.portfolio.courses import Held

RENEWAL_WINDOWS = (30, 60, 90)
"""Days after closing within which renewals are looked at."""


@dataclass(frozen=True, slots=True)
class Member:
    """What one account came to over the period, and how it stood at closing.

    `nps` and `csat` are its answers of the period; `days_to_value` is set if its first goal was
    achieved in it. `flagged` says that a flag of high or critical severity was open. None is
    unknown.
    """

    account: str
    opening: Held
    closing: Held
    currency: str | None = None
    contracts: Sequence[Due] = ()
    nps: Sequence[float] = ()
    csat: Sequence[float] = ()
    days_to_value: int | None = None
    engaged: bool | None = None
    days_to_renewal: int | None = None
    flagged: bool = False
    health: float | None = None
    engagement: float | None = None


class Movements(NamedTuple):
    """How monthly recurring revenue went from opening to closing: the sum of all but the last."""

    opening: float
    new: float
    expansion: float
    downgrades: float
    churn: float
    closing: float


class Renewals(NamedTuple):
    """Customers whose renewal is at most `days` after closing, and how many of them are flagged."""

    days: int
    due: int
    flagged: int
    mrr: float | None


class Correlation(NamedTuple):
    """Pearson's r of two facts over `n` customers; None below 3, or where one does not vary."""

    r: float | None
    n: int


Figures = dict[str, float | None]
"""Figures by name, in the order of the catalogue."""


def currencies(members: Iterable[Member]) -> list[str]:
    """The currencies that revenue of the portfolio is in; amounts without one fit any."""
    paying = (m for m in members if m.opening.mrr or m.closing.mrr)
    return sorted({m.currency for m in paying if m.currency is not None})


def movements(members: Sequence[Member]) -> Movements | None:
    """The movements of revenue; None if they would add up amounts of several currencies.

    Customers whose revenue is not known at a time at which they were customers are left out.
    """
    known = [m for m in members if _is_known(m.opening) and _is_known(m.closing)]
    pairs = [(m.opening.mrr, m.closing.mrr) for m in known]
    if len(currencies(members)) > 1 or all(a is None and b is None for a, b in pairs):
        return None
    stayed = [(a, b) for a, b in pairs if a is not None and b is not None]
    return Movements(
        opening=fsum(a for a, _ in pairs if a is not None),
        new=fsum(b for a, b in pairs if a is None and b is not None),
        expansion=fsum(b - a for a, b in stayed if b > a),
        downgrades=-fsum(a - b for a, b in stayed if b < a),
        churn=-fsum(a for a, b in pairs if a is not None and b is None),
        closing=fsum(b for _, b in pairs if b is not None),
    )


def _is_known(held: Held) -> bool:
    return held.mrr is not None or not held.customer


def without_revenue(members: Iterable[Member]) -> int:
    """How many customers are left out of revenue, since nobody says what they pay."""
    return sum(1 for m in members if not (_is_known(m.opening) and _is_known(m.closing)))


def figures(members: Sequence[Member]) -> Figures:
    """Every figure of the catalogue."""
    before = [m for m in members if m.opening.customer]
    now = [m for m in members if m.closing.customer]
    kept = sum(1 for m in before if m.closing.customer)
    due = [one for m in members for one in m.contracts]
    renewed = sum(1 for one in due if one.renewed)
    return {
        "customers": len(now),
        "customers_at_start": len(before),
        "new_customers": len(now) - kept,
        "lost_customers": len(before) - kept,
        "customer_retention": percent(kept, len(before)),
        "logo_churn": percent(len(before) - kept, len(before)),
        **_revenue(movements(members)),
        "contracts_due": len(due),
        "contracts_renewed": renewed,
        "contract_renewal_rate": percent(renewed, len(due)),
        **_standing(now, len(currencies(members)) < 2),
        **_voice(members),
    }


def _revenue(moved: Movements | None) -> Figures:
    base = moved.opening if moved else 0.0
    opening, new, expansion, downgrades, churn, closing = moved or (0.0,) * 6
    return {
        "mrr_at_start": opening if moved else None,
        "mrr": closing if moved else None,
        "net_revenue_retention": percent(fsum((opening, expansion, downgrades, churn)), base),
        "gross_revenue_retention": percent(fsum((opening, downgrades, churn)), base),
        "recurring_revenue_rate": percent(fsum((opening, new, expansion, downgrades, churn)), base),
        "revenue_churn": percent(-churn, base),
        "gross_upsell": percent(expansion, base),
        "mrr_growth": percent(closing - opening, base),
    }


def _standing(now: Sequence[Member], one_currency: bool) -> Figures:
    answered = [m.engaged for m in now if m.engaged is not None]
    flagged = [m for m in now if m.flagged]
    known = one_currency and any(m.closing.mrr is not None for m in now)
    at_risk, whole = (fsum(m.closing.mrr or 0 for m in some) for some in (flagged, now))
    return {
        "engaged": percent(sum(answered), len(answered)),
        "at_risk": percent(len(flagged), len(now)),
        "revenue_at_risk": at_risk if known else None,
        "revenue_at_risk_share": percent(at_risk, whole) if known else None,
    }


def _voice(members: Sequence[Member]) -> Figures:
    nps = [score for m in members for score in m.nps]
    csat = [score for m in members for score in m.csat]
    values = [m.days_to_value for m in members if m.days_to_value is not None]
    promoters = sum(1 for score in nps if score >= 9)
    detractors = sum(1 for score in nps if score <= 6)
    return {
        "nps": percent(promoters - detractors, len(nps)),
        "csat": percent(sum(1 for score in csat if score >= 4), len(csat)),
        "time_to_value_days": sum(values) / len(values) if values else None,
    }


def percent(part: float, whole: float) -> float | None:
    """A share in per cent; None of nothing."""
    return 100 * part / whole if whole > 0 else None


def renewals(members: Sequence[Member]) -> list[Renewals]:
    """What renews soon after closing, in each of the windows."""
    upcoming = [m for m in members if m.closing.customer and (m.days_to_renewal or 0) >= 0]
    one_currency = len(currencies(members)) < 2
    found = []
    for days in RENEWAL_WINDOWS:
        due = [m for m in upcoming if m.days_to_renewal is not None and m.days_to_renewal <= days]
        worth = fsum(m.closing.mrr or 0 for m in due) if one_currency else None
        found.append(Renewals(days, len(due), sum(1 for m in due if m.flagged), worth))
    return found


def engagement_and_health(members: Iterable[Member]) -> list[tuple[float, float]]:
    """(engagement, health) of the customers at closing of whom both are known."""
    return [
        (m.engagement, m.health)
        for m in members
        if m.closing.customer and m.health is not None and m.engagement is not None
    ]


def correlation(pairs: Sequence[tuple[float, float]]) -> Correlation:
    """Pearson's r of pairs of numbers."""
    n = len(pairs)
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    if n < 3 or min(xs) == max(xs) or min(ys) == max(ys):
        return Correlation(None, n)
    x_mean, y_mean = fsum(xs) / n, fsum(ys) / n
    together = fsum((x - x_mean) * (y - y_mean) for x, y in pairs)
    spread = fsum((x - x_mean) ** 2 for x in xs) * fsum((y - y_mean) ** 2 for y in ys)
    return Correlation(together / sqrt(spread), n)


Group = tuple[str | None, list[Member]]
"""The members that have one value in common; None is for those that have none."""


def grouped(members: Iterable[Member], key: Callable[[Member], str | None]) -> list[Group]:
    """Members by what `key` says of each, in order, those without it last."""
    groups: dict[str | None, list[Member]] = {}
    for member in members:
        groups.setdefault(key(member), []).append(member)
    return sorted(groups.items(), key=lambda group: (group[0] is None, group[0] or ""))
