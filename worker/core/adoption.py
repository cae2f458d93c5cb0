"""Facts of adoption: who uses the product, how much of it, and how regularly."""

from worker.core.catalogue import Fact, Part
from worker.core.measures import Measure, Source
from worker.core.metrics import Metrics
from worker.core.stats import AccountStats
from worker.core.units import Unit, Value, since

LICENCE_DAYS = 30
"""Complete days in which a licence counts as used."""

USAGE_DAYS = 30
"""Complete days of a window of usage; UsageStats are counted in two of them."""

WEEKS = 4
LONGEST_LAUNCH = 365
"""Days since its launch that the uptake of a feature looks back at most."""

FULL_ACTIVE_DAYS = 20
FULL_LOGINS = 5
"""Days of use in 30, and days of use a user and week, that count as full engagement."""

_EVENTS = ("usage",)
_WITH_LICENCES = ("usage", "subscription", "account", "contact")
_NO_USAGE = "the account has no usage event yet"
_NO_USERS = "no usage event of the account names a user yet"
_NO_LICENCES = _NO_USERS + ", or there are no licences"
_NO_ACTIVE_USERS = _NO_USERS + ", or nobody used it in these days"

_USERS = Measure(Source.USAGE, "users", USAGE_DAYS)
_USER_DAYS = _USERS._replace(amount="user days")
_FEATURES = _USERS._replace(amount="features")
_MINUTES = _USERS._replace(amount="minutes")
_WEEKS_USERS = _USERS._replace(days=7 * WEEKS)
_WEEKS_USER_DAYS = _USER_DAYS._replace(days=7 * WEEKS)

FACTS = (
    Fact(
        "licences_used",
        Unit.COUNT,
        "licences in use",
        "distinct users with usage in the 30 complete days before the date",
        _NO_USERS,
        formula="Contacts who have not left.",
        events=("usage", "contact"),
    ),
    Fact(
        "adoption",
        Unit.PERCENT,
        "adoption",
        "licences used, as a share of the licences",
        _NO_LICENCES,
        formula="100 * licences_used / licences.",
        events=_WITH_LICENCES,
        least=0,
    ),
    Fact(
        "usage_30d",
        Unit.COUNT,
        "uses in the last 30 days",
        "usage counts in the 30 complete days before the date",
        _NO_USAGE,
        formula="Sum of count, which is 1 where an event says none.",
        events=_EVENTS,
    ),
    Fact(
        "usage_prev_30d",
        Unit.COUNT,
        "uses in the 30 days before that",
        "usage counts in the 30 days before those",
        _NO_USAGE,
        events=_EVENTS,
    ),
    Fact(
        "usage_change",
        Unit.PERCENT,
        "30-day change in usage",
        "change of usage_30d against usage_prev_30d",
        _NO_USAGE + ", or usage_prev_30d is 0",
        formula="100 * (usage_30d - usage_prev_30d) / usage_prev_30d.",
        events=_EVENTS,
        least=-100,
    ),
    Fact(
        "active_days_30d",
        Unit.COUNT,
        "days with usage in the last 30",
        "days with usage among the 30 complete days before the date",
        _NO_USAGE,
        events=_EVENTS,
        most=30,
    ),
    Fact(
        "days_since_usage",
        Unit.DAYS,
        "last usage",
        "days since the last usage event",
        _NO_USAGE,
        events=_EVENTS,
    ),
    Fact(
        "licence_utilisation",
        Unit.PERCENT,
        "licence utilisation",
        "average daily active users, as a share of the licences",
        _NO_LICENCES,
        part=Part.ADOPTION,
        formula="100 * (sum over the 30 complete days before the date of the distinct users of "
        "each day / 30) / licences. Users who have left since count on their days.",
        events=_WITH_LICENCES,
        least=0,
    ),
    Fact(
        "advanced_users",
        Unit.PERCENT,
        "advanced users",
        "users of any advanced feature, as a share of all users, in 30 days",
        _NO_ACTIVE_USERS + ", or metrics.yaml lists no advanced features",
        part=Part.ADOPTION,
        formula="100 * users of a feature listed under features: advanced: in rules/metrics.yaml / "
        "users, in the 30 complete days before the date.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        "basic_users",
        Unit.PERCENT,
        "basic users",
        "users of no advanced feature, as a share of all users, in 30 days",
        _NO_ACTIVE_USERS + ", or metrics.yaml lists no advanced features",
        part=Part.ADOPTION,
        formula="100 - advanced_users.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        "features_used",
        Unit.COUNT,
        "features in use",
        "distinct features used in the 30 complete days before the date",
        _NO_USAGE,
        part=Part.ADOPTION,
        events=_EVENTS,
    ),
    Fact(
        "feature_uptake",
        Unit.PERCENT,
        "uptake of the newest feature",
        "users of the feature launched last, as a share of all users since then",
        _NO_USERS + ", or metrics.yaml has no launch before the date, or nobody used it since",
        part=Part.ADOPTION,
        formula="100 * users of the feature / users, from the launch date (at most 365 days back) "
        "to the eve of the date; the latest of features: launched: in rules/metrics.yaml.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        "minutes_per_active_day",
        Unit.NUMBER,
        "minutes a day of use",
        "minutes of use on a day with any, in 30 days",
        _NO_USAGE + ", or there was none in these days",
        part=Part.ADOPTION,
        formula="Sum of minutes / active_days_30d.",
        events=_EVENTS,
        least=0,
    ),
    Fact(
        "logins_per_user_week",
        Unit.NUMBER,
        "logins a user and week",
        "days on which a user was there, a user and week",
        _NO_ACTIVE_USERS,
        part=Part.ADOPTION,
        formula="Days of use of each user, added up, / users / 4, of the 28 complete days before "
        "the date: a day counts as one login.",
        events=_EVENTS,
        least=0,
        most=7,
    ),
    Fact(
        "engagement_score",
        Unit.NUMBER,
        "engagement score",
        "how many use the product, how often and how regularly, from 0 to 100",
        "adoption or logins_per_user_week is unknown",
        part=Part.ADOPTION,
        formula="Mean of three, each at most 100: adoption; 100 * active_days_30d / 20; "
        "100 * logins_per_user_week / 5.",
        events=_WITH_LICENCES,
        least=0,
        most=100,
    ),
)


def measures(metrics: Metrics, on: int) -> list[Measure]:
    """What the facts of adoption are measured by on the day `on`."""
    always = [_USERS, _USER_DAYS, _FEATURES, _MINUTES, _WEEKS_USERS, _WEEKS_USER_DAYS]
    if metrics.advanced:
        always.append(_advanced(metrics))
    if launch := _launch(metrics, on):
        always += launch
    return always


def _advanced(metrics: Metrics) -> Measure:
    return _USERS._replace(where=(("feature", metrics.advanced),))


def _launch(metrics: Metrics, on: int) -> tuple[Measure, Measure] | None:
    """The users of the feature launched last before the day, and all users since."""
    launched = [(day, feature) for feature, day in metrics.launched.items() if day < on]
    if not launched:
        return None
    day, feature = max(launched)
    everyone = _USERS._replace(days=min(on - day, LONGEST_LAUNCH))
    return everyone._replace(where=(("feature", (feature,)),)), everyone


def usage_facts(stats: AccountStats, on: int) -> dict[str, Value]:
    """How much the account uses the product."""
    usage = stats.usage
    recent, previous = usage.recent, usage.previous
    return {
        "usage_30d": recent,
        "usage_prev_30d": previous,
        "usage_change": 100 * (recent - previous) / previous if previous else None,
        "active_days_30d": usage.active_days,
        "days_since_usage": since(usage.last_day, on),
    }


def licence_facts(stats: AccountStats, on: int, licences: Value) -> dict[str, Value]:
    """How many of the licences are in use."""
    used = sum(
        1
        for person in stats.contacts
        if person.used is not None and person.used >= on - LICENCE_DAYS and not person.gone
    )
    return {"licences_used": used, "adoption": _percent(used, licences)}


def feature_facts(stats: AccountStats) -> dict[str, Value]:
    """What of the product is used, whoever does."""
    days, found = stats.usage.active_days, stats.measures
    return {
        "features_used": found[_FEATURES],
        "minutes_per_active_day": found[_MINUTES] / 1_000 / days if days else None,
    }


def user_facts(
    stats: AccountStats, base: dict[str, Value], metrics: Metrics, on: int
) -> dict[str, Value]:
    """How the users use it; `base` are the facts on usage and licences."""
    found, licences, adoption = stats.measures, base["licences"], base["adoption"]
    advanced = _percent(found[_advanced(metrics)], found[_USERS]) if metrics.advanced else None
    launch = _launch(metrics, on)
    users = found[_WEEKS_USERS]
    logins = found[_WEEKS_USER_DAYS] / users / WEEKS if users else None
    parts = [adoption, 100 * stats.usage.active_days / FULL_ACTIVE_DAYS]
    parts.append(None if logins is None else 100 * logins / FULL_LOGINS)
    known = [min(part, 100) for part in parts if isinstance(part, int | float)]
    return {
        "licence_utilisation": _percent(found[_USER_DAYS] / USAGE_DAYS, licences),
        "advanced_users": advanced,
        "basic_users": None if advanced is None else 100 - advanced,
        "feature_uptake": _percent(found[launch[0]], found[launch[1]]) if launch else None,
        "logins_per_user_week": logins,
        "engagement_score": sum(known) / 3 if len(known) == 3 else None,
    }


def _percent(part: float, whole: Value) -> float | None:
    return 100 * part / whole if isinstance(whole, int | float) and whole else None
