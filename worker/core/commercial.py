"""Facts of the contract: what the customer pays, since when, until when, and how that changed."""

from itertools import pairwise

from worker.core.catalogue import Fact, Part
from worker.core.stats import AccountStats
from worker.core.subscriptions import Terms, income_on, one_currency
from worker.core.units import Unit, Value

CHANGE_DAYS = 90
YEAR = 365

_EVENTS = ("subscription", "account")
_NO_MRR = (
    "neither a subscription nor the account says, or a subscription is in another currency than "
    "the account"
)
_NO_HISTORY = (
    "no subscription had begun by then, or one of them is in another currency than the account"
)

FACTS = (
    Fact(
        "segment",
        Unit.TEXT,
        "segment",
        "the account's segment",
        "the account has none",
        events=("account",),
    ),
    Fact(
        "lifecycle",
        Unit.TEXT,
        "lifecycle",
        "trial, onboarding, active or churned",
        "never",
        ("trial", "onboarding", "active", "churned"),
        formula="The account's field; else churned when all its subscriptions have churned, trial "
        "when all active ones are trials, else active.",
        events=_EVENTS,
    ),
    Fact(
        "owner",
        Unit.TEXT,
        "owner",
        "the rep responsible for the account",
        "the account has none",
        events=("account",),
    ),
    Fact(
        "mrr",
        Unit.MONEY,
        "monthly recurring revenue",
        "monthly recurring revenue: of the active subscriptions, else the account's",
        _NO_MRR,
        formula="Sum of the latest mrr of each subscription that a term covers on the date and "
        "that has not churned; overlapping terms of one subscription count once. Amounts in "
        "several currencies are not added: then it is unknown.",
        events=_EVENTS,
    ),
    Fact(
        "licences",
        Unit.COUNT,
        "licences",
        "seats of the active subscriptions, else the account's",
        "neither a subscription nor the account says",
        events=_EVENTS,
    ),
    Fact(
        "days_to_renewal",
        Unit.DAYS,
        "time to renewal",
        "days until the renewal date; negative once it has passed",
        "no renewal date or term end is known",
        formula="The account's renewal date if it is not past, else the next term end of a "
        "subscription that has not churned, else the account's past date.",
        events=_EVENTS,
    ),
    Fact(
        "tenure_days",
        Unit.DAYS,
        "time since the first event",
        "days since the account's first event",
        "there is no event yet",
        events=("all types",),
    ),
    Fact(
        "mrr_change_90d",
        Unit.PERCENT,
        "90-day change in recurring revenue",
        "change of the MRR of subscriptions over 90 days",
        "there was no MRR 90 days before the date: " + _NO_HISTORY,
        part=Part.CONTRACTS,
        formula="100 * (MRR on the date - MRR 90 days before) / MRR 90 days before, both of the "
        "subscriptions as of those days; none is 0.",
        events=_EVENTS,
        least=-100,
    ),
    Fact(
        "arr",
        Unit.MONEY,
        "annual recurring revenue",
        "annual recurring revenue",
        _NO_MRR,
        part=Part.CONTRACTS,
        formula="12 * mrr.",
        events=_EVENTS,
    ),
    Fact(
        "trial_or_paid",
        Unit.TEXT,
        "contract",
        "trial, paid, or none",
        "the account has no subscription and no lifecycle",
        ("trial", "paid", "none"),
        part=Part.CONTRACTS,
        formula="trial if the lifecycle is trial; else paid while a subscription is active that is "
        "no trial; else none. Without any subscription it goes by the account's lifecycle.",
        events=_EVENTS,
    ),
    Fact(
        "term_elapsed",
        Unit.PERCENT,
        "share of the term that has passed",
        "how much of the current term has passed",
        "no active subscription has a term with an end",
        part=Part.CONTRACTS,
        formula="100 * (date - term_start) / (term_end - term_start), of the term that covers the "
        "date and ends first (of those the one that began last).",
        events=("subscription",),
        least=0,
        most=100,
    ),
    Fact(
        "lifetime_value",
        Unit.MONEY,
        "lifetime value",
        "customer lifetime value: what the customer pays from its first day to its renewal",
        "mrr is unknown",
        part=Part.CONTRACTS,
        formula="mrr * 12 / 365 * (tenure_days + days_to_renewal), without the latter where it is "
        "unknown or past.",
        events=_EVENTS,
        least=0,
    ),
    Fact(
        "expansion_365d",
        Unit.MONEY,
        "expansion in the last year",
        "rises of the MRR of subscriptions in the last year, added up",
        _NO_HISTORY,
        part=Part.CONTRACTS,
        formula="Day by day, from 364 days before the date up to it: MRR at the day's end less MRR "
        "at the end of the day before, where it rose and was above 0 before.",
        events=("subscription",),
        least=0,
    ),
    Fact(
        "contraction_365d",
        Unit.MONEY,
        "contraction in the last year",
        "falls of the MRR of subscriptions in the last year, added up",
        _NO_HISTORY,
        part=Part.CONTRACTS,
        formula="As expansion, where it fell and is above 0 still: a fall to 0 is churn.",
        events=("subscription",),
        least=0,
    ),
)


def base_facts(stats: AccountStats, terms: Terms, on: int) -> dict[str, Value]:
    """What every evaluation asks of an account's contract."""
    renewal = renewal_day(stats, terms, on)
    return {
        "segment": stats.segment,
        "lifecycle": stats.lifecycle or terms.lifecycle or "active",
        "owner": stats.owner,
        "mrr": mrr_of(stats, terms),
        "licences": stats.seats if terms.seats is None else terms.seats,
        "days_to_renewal": None if renewal is None else renewal - on,
        "tenure_days": (
            None if stats.first_day is None or stats.first_day > on else on - stats.first_day
        ),
    }


def mrr_of(stats: AccountStats, terms: Terms) -> float | None:
    """The MRR of the active subscriptions, else the account's.

    None if nobody says, or if a subscription is in another currency than the account's.
    """
    return one_currency(terms.mrr, stats.currency) if terms.mrr else stats.mrr


def renewal_day(stats: AccountStats, terms: Terms, on: int) -> int | None:
    """The next renewal: the account's own date, else the next term end, else the date gone by."""
    if stats.renewal_day is not None and stats.renewal_day >= on:
        return stats.renewal_day
    return terms.next_end if terms.next_end is not None else stats.renewal_day


def contract_facts(
    stats: AccountStats, terms: Terms, base: dict[str, Value], on: int
) -> dict[str, Value]:
    """How the contract stands and has changed; `base` are the base facts."""
    mrr, tenure, left = base["mrr"], base["tenure_days"], base["days_to_renewal"]
    facts: dict[str, Value] = {"term_elapsed": terms.elapsed, "trial_or_paid": _kind(stats, terms)}
    if isinstance(mrr, int | float):
        days = sum(max(each, 0) for each in (tenure, left) if isinstance(each, int))
        facts |= {"arr": 12 * mrr, "lifetime_value": mrr * 12 / 365 * days}
    return facts | _changes(stats, on)


def _kind(stats: AccountStats, terms: Terms) -> str | None:
    lifecycle = stats.lifecycle or terms.lifecycle
    if lifecycle in (None, "trial"):
        return lifecycle
    if terms.lifecycle is None:
        return "none" if lifecycle == "churned" else "paid"
    return "paid" if terms.paying else "none"


def _changes(stats: AccountStats, on: int) -> dict[str, Value]:
    """What became of the MRR of the subscriptions, by what they had come to day by day."""
    steps = income_on(stats.contracts, on)
    amounts = [(step.day, one_currency(step.mrr, stats.currency)) for step in steps]
    if not amounts or amounts[0][0] > on:
        return {}
    facts: dict[str, Value] = {}
    now, then = _amount(amounts, on), _amount(amounts, on - CHANGE_DAYS)
    if now is not None and then:
        facts["mrr_change_90d"] = 100 * (now - then) / then
    inside = [amount for day, amount in amounts if on - YEAR < day <= on]
    levels = [_amount(amounts, on - YEAR), *inside]
    if None not in levels:
        known = [level for level in levels if level is not None]
        moves = [(b - a) for a, b in pairwise(known) if a > 0 and b > 0]
        facts["expansion_365d"] = sum(move for move in moves if move > 0)
        facts["contraction_365d"] = -sum(move for move in moves if move < 0)
    return facts


def _amount(amounts: list[tuple[int, float | None]], day: int) -> float | None:
    """The MRR at the end of a day: 0 before the first one."""
    return next((amount for since, amount in reversed(amounts) if since <= day), 0.0)
