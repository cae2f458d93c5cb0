"""What every figure of the portfolio means: one definition each, for the report and the docs."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a figure's number is."""

    COUNT = "count"
    PERCENT = "%"
    MONEY = "money a month"
    POINTS = "points"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its JSON key, what people call it, what it means, and when there is none."""

    name: str
    kind: Kind
    label: str
    meaning: str
    none_when: str


_NO_CUSTOMERS = "no customer at opening"
_NO_BASE = "no customer at closing"
_NO_REVENUE = "no revenue at opening, or several currencies"
_CURRENCIES = "nobody's revenue is known, or several currencies"

_CATALOGUE = (
    Figure("customers", Kind.COUNT, "Customers", "customers at closing", "never"),
    Figure("customers_at_start", Kind.COUNT, "Customers at start", "customers at opening", "never"),
    Figure(
        "new_customers",
        Kind.COUNT,
        "New customers",
        "customers at closing who were none at opening, those won back included",
        "never",
    ),
    Figure(
        "lost_customers",
        Kind.COUNT,
        "Lost customers",
        "customers at opening who are none at closing",
        "never",
    ),
    Figure(
        "customer_retention",
        Kind.PERCENT,
        "Customer retention",
        "share of the customers at opening who are customers at closing",
        _NO_CUSTOMERS,
    ),
    Figure(
        "logo_churn",
        Kind.PERCENT,
        "Logo churn",
        "share of the customers at opening who are none at closing",
        _NO_CUSTOMERS,
    ),
    Figure(
        "mrr_at_start",
        Kind.MONEY,
        "MRR at start",
        "monthly recurring revenue of the customers at opening",
        _CURRENCIES,
    ),
    Figure(
        "mrr",
        Kind.MONEY,
        "MRR",
        "monthly recurring revenue of the customers at closing",
        _CURRENCIES,
    ),
    Figure(
        "net_revenue_retention",
        Kind.PERCENT,
        "Net revenue retention",
        "(opening + expansion - downgrades - churn) / opening: what the customers at opening pay "
        "at closing, new customers left out",
        _NO_REVENUE,
    ),
    Figure(
        "gross_revenue_retention",
        Kind.PERCENT,
        "Gross revenue retention",
        "(opening - downgrades - churn) / opening: as net, but nobody counts for more than at "
        "opening",
        _NO_REVENUE,
    ),
    Figure(
        "recurring_revenue_rate",
        Kind.PERCENT,
        "Recurring revenue rate",
        "(opening + new + expansion - downgrades - churn) / opening: unlike net revenue retention "
        "it counts new customers",
        _NO_REVENUE,
    ),
    Figure(
        "revenue_churn",
        Kind.PERCENT,
        "Revenue churn",
        "churn / opening: revenue of the customers lost; downgrades are not in it",
        _NO_REVENUE,
    ),
    Figure(
        "gross_upsell",
        Kind.PERCENT,
        "Gross upsell",
        "expansion / opening: what customers at opening pay more at closing",
        _NO_REVENUE,
    ),
    Figure(
        "mrr_growth",
        Kind.PERCENT,
        "MRR growth",
        "(closing - opening) / opening",
        _NO_REVENUE,
    ),
    Figure(
        "contracts_due",
        Kind.COUNT,
        "Contracts due",
        "terms of subscriptions that ended in the period, trials left out",
        "never",
    ),
    Figure(
        "contracts_renewed",
        Kind.COUNT,
        "Contracts renewed",
        "those of them followed, as far as known at closing, by a later term of the subscription "
        "or by a new subscription that began within 31 days of the end",
        "never",
    ),
    Figure(
        "contract_renewal_rate",
        Kind.PERCENT,
        "Contract renewal rate",
        "contracts renewed / contracts due",
        "no contract was due",
    ),
    Figure(
        "engaged",
        Kind.PERCENT,
        "Engaged base",
        "share of the customers at closing who wrote, called or met within 90 days",
        _NO_BASE + ", or nobody's interactions have been recorded yet",
    ),
    Figure(
        "at_risk",
        Kind.PERCENT,
        "Customers at risk",
        "share of the customers at closing with a flag of high or critical severity that was open",
        _NO_BASE,
    ),
    Figure(
        "revenue_at_risk",
        Kind.MONEY,
        "Revenue at risk",
        "monthly recurring revenue of the customers at risk",
        _CURRENCIES,
    ),
    Figure(
        "revenue_at_risk_share",
        Kind.PERCENT,
        "Share of revenue at risk",
        "revenue at risk / MRR",
        "no revenue at closing, or several currencies",
    ),
    Figure(
        "nps",
        Kind.POINTS,
        "NPS",
        "% of 9 and 10 minus % of 0 to 6 among the nps answers of the period",
        "no nps answer in the period",
    ),
    Figure(
        "csat",
        Kind.PERCENT,
        "CSAT",
        "share of 4 and 5 among the csat answers (1 to 5) of the period",
        "no csat answer in the period",
    ),
    Figure(
        "time_to_value_days",
        Kind.DAYS,
        "Time to value",
        "average days from an account's first event to its first achieved goal, over the accounts "
        "whose first goal was achieved in the period",
        "no account achieved its first goal in the period",
    ),
)

FIGURES: dict[str, Figure] = {figure.name: figure for figure in _CATALOGUE}
"""The catalogue by name, in the order in which figures are listed."""

TERMS: dict[str, tuple[str, str]] = {
    "movements": (
        "Movements",
        "opening and closing are the MRR of customers then; new is that of new customers at "
        "closing, churn that of lost ones at opening; expansion and downgrades are what the "
        "others pay more or less at closing than at opening",
    ),
    "trend": (
        "Month by month",
        "customers and their MRR at the end of each month, as far as it was known then",
    ),
    "renewals": (
        "Renewals ahead",
        "customers whose renewal date is at most 30, 60 or 90 days after closing; flagged are "
        "those with a flag of high or critical severity that was open at closing",
    ),
    "cohorts": (
        "Cohorts",
        "the accounts whose first term that is no trial began in the quarter (without any "
        "subscription: that became customers by themselves in it): how many are customers at its "
        "end and at that of each quarter since, and what they pay in % of what they paid at the "
        "end of their first one; the last column is as of closing; cohorts of the last 12 "
        "quarters are shown",
    ),
    "health_engagement": (
        "Health against engagement",
        "Pearson's correlation of the facts health and engagement_score over the n customers at "
        "closing of whom both are known; none below 3",
    ),
}
"""What else the report shows, by its JSON key: what it is called, and what it means."""

BASIS = (
    "Opening is the end of the day before the period, closing that of its last day. A customer has "
    "an active subscription that is no trial. An account that never had a subscription is a "
    "customer from its first event on, or, in a workspace that records subscriptions, while it has "
    "an MRR or a lifecycle of its own. A lifecycle of trial or churned always says that it is "
    "none. Segment, owner, region and currency of an account are those of now, whatever they "
    "were in the period; the plan is that of the subscription that pays most, at opening, or at "
    "closing for new customers."
)
"""What all definitions stand on."""


def shown(value: float | None, kind: Kind, currency: str | None = None) -> str:
    """A figure as people read it: `75.0%`, `12,400 EUR`, `61 days`; `-` where there is none."""
    if value is None:
        return "-"
    match kind:
        case Kind.PERCENT:
            return f"{value:,.1f}%"
        case Kind.MONEY:
            return f"{value:,.0f} {currency}" if currency else f"{value:,.0f}"
        case Kind.POINTS:
            return f"{value:+,.0f}"
        case Kind.DAYS:
            return "1 day" if value == 1 else f"{value:,.0f} days"
        case Kind.COUNT:
            return f"{value:,.0f}"
