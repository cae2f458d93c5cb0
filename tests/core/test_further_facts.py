"""The facts beyond the base, each by an example worked out by hand on both sides of its edges.

Days are counted back from ON; events go through the same additions as everywhere.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.histories import parsed
from worker.core.additions import additions
from worker.core.facts import facts_of
from worker.core.memory import Memory
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.ties import TieSettings
from worker.core.units import NEVER

ON = date(2026, 3, 10)

Happened = tuple[float, str, dict[str, Any]]
"""(days ago, type, data), at noon; a fraction of a day is its hours."""


def day(days_ago: int) -> str:
    return (ON - timedelta(days_ago)).isoformat()


def facts(happened: Iterable[Happened], metrics: Metrics = NO_METRICS) -> dict[str, Any]:
    raw = []
    for number, (days_ago, kind, data) in enumerate(happened):
        moment = f"{day(int(days_ago))}T12:00:00Z"
        if days_ago != int(days_ago):
            hours = round(24 * (days_ago - int(days_ago)), 6)
            whole, minutes = divmod(hours * 60, 60)
            moment = f"{day(int(days_ago))}T{int(whole):02}:{int(minutes):02}:00Z"
        subject = {} if kind == "rep" else {"subject": "acme"}
        event = {"id": f"{number:03}", "source": "crm", "type": kind, "time": moment}
        raw.append(event | subject | {"data": data})
    memory, settings = Memory(), TieSettings()
    memory.add(additions(parsed(raw)))
    stats = memory.stats("acme", ON.toordinal(), settings.half_life, metrics=metrics)
    return facts_of(stats, ON.toordinal(), memory.workspace(settings), metrics)


def met(days_ago: float, *contacts: str, **more: Any) -> Happened:
    people = {"reps": [more.pop("rep", "sam")], "contacts": list(contacts or ["dana"])}
    return days_ago, "interaction", {"channel": "meeting", "duration_minutes": 60} | people | more


def mail(days_ago: float, direction: str, *contacts: str, **more: Any) -> Happened:
    return met(days_ago, *contacts, channel="email", direction=direction, **more)


def known(contact: str, **said: Any) -> Happened:
    return 300, "contact", {"contact": contact, **said}


def strong(contact: str, rep: str = "sam") -> list[Happened]:
    return [met(days_ago, contact, rep=rep) for days_ago in (1, 2, 3)]


EXEC = known("dana", level="vp")


# Relationships


def test_the_last_word_from_an_executive_is_inbound_or_mutual_and_never_if_there_was_none() -> None:
    assert facts([EXEC, mail(9, "outbound")])["days_since_inbound_exec"] == NEVER
    found = facts([EXEC, mail(9, "outbound"), mail(20, "inbound"), mail(1, "inbound", "kim")])
    assert found["days_since_inbound_exec"] == 20


@pytest.mark.parametrize(
    ("days", "gap", "ratio"),
    [
        ([40], None, None),
        ([40, 40], None, None),  # one day
        ([40, 50], 10, 4),
        ([40, 50, 52], 6, 40 / 6),  # the median of 10 and 2
        ([40, 364], 324, 40 / 324),
        ([40, 365], None, None),  # a year ago is not within the year
        ([0, 4], 4, 0),
    ],
)
def test_the_usual_gap_is_the_median_between_days_of_contact_with_executives(
    days: list[int], gap: float | None, ratio: float | None
) -> None:
    happened = [EXEC, *(mail(d, "outbound") for d in days), met(1, "kim")]
    found = facts(happened)
    assert found["exec_contact_usual_gap"] == gap
    assert found["exec_silence_ratio"] == (None if ratio is None else pytest.approx(ratio))


def test_response_hours_are_from_each_inbound_mail_to_the_next_outbound_one() -> None:
    mails = [
        mail(10.25, "inbound"),  # 06:00, answered at 18:00: 12 hours
        mail(10.5, "inbound"),  # 12:00, by the same answer: 6 hours
        mail(10.75, "outbound", "kim", cc=["dana"]),
        mail(5.25, "inbound", "kim", "lee"),  # kim after 3 hours, lee never
        mail(5.375, "outbound", "kim"),
        mail(5.5, "inbound", "kim", cc=["dana"]),  # nobody answers
    ]
    assert facts(mails)["response_hours"] == 6
    assert facts(mails[2:])["response_hours"] == 3
    assert facts(mails[5:])["response_hours"] is None


@pytest.mark.parametrize(("asked", "hours"), [(90, 24.0), (91, None), (1, 24.0), (0, None)])
def test_mails_of_90_complete_days_wait_for_their_answer_up_to_the_date(
    asked: int, hours: float | None
) -> None:
    answered = mail(asked - 1, "outbound") if asked else mail(0.75, "outbound")
    assert facts([mail(asked, "inbound"), answered])["response_hours"] == hours


def test_an_answer_in_the_same_instant_is_none() -> None:
    assert facts([mail(5, "inbound"), mail(5, "outbound")])["response_hours"] is None


@pytest.mark.parametrize(("days_ago", "meetings"), [(0, 0), (1, 1), (90, 1), (91, 0)])
def test_meetings_and_the_inbound_share_are_of_90_complete_days(
    days_ago: int, meetings: int
) -> None:
    found = facts(
        [
            met(days_ago, "dana", "kim"),
            met(2, status="cancelled"),
            mail(5, "inbound", "dana", "kim"),
            mail(6, "outbound"),
            mail(7, "outbound"),
            mail(91, "inbound"),
        ]
    )
    assert found["meetings_90d"] == meetings
    assert found["inbound_share_90d"] == pytest.approx(100 / 3)


def test_champions_use_the_product_and_have_the_role_or_a_strong_tie() -> None:
    use = [(1, "usage", {"user": name}) for name in ("dana", "kim", "lee", "pat")]
    people = [
        known("dana", role="champion"),
        known("lee"),
        known("pat", role="champion", left=True),
    ]
    found = facts([*people, *use, *strong("kim"), known("max", role="champion")])
    assert found["champions"] == 2  # dana by role, kim by tie; max does not use it, pat has left
    assert found["champions_left"] == 1


def test_one_rep_may_hold_most_of_the_strong_ties() -> None:
    ties = [*strong("dana"), *strong("kim"), *strong("kim", "ana"), *strong("lee", "ana")]
    ties += [*strong("max"), met(1, "pat")]
    assert facts(ties)["single_rep_share"] == 60  # sam: with dana, kim and max, of five ties
    assert facts([met(1, "pat")])["single_rep_share"] is None


def test_of_two_reps_who_both_know_everybody_each_holds_half_of_the_ties() -> None:
    ties = [*strong("dana"), *strong("dana", "ana"), *strong("kim"), *strong("kim", "ana")]
    assert facts(ties)["single_rep_share"] == 50


def test_roles_are_functions_told_or_titled_with_a_moderate_tie() -> None:
    people = [
        known("dana", function="Finance"),
        known("kim", function=" finance "),
        known("lee", title="CIO"),
        known("max", title="???"),
        known("pat", function="legal"),
    ]
    ties = [*strong("dana"), *strong("kim"), *strong("lee"), *strong("max"), met(300, "pat")]
    assert facts([*people, *ties])["roles_covered"] == 2


@pytest.mark.parametrize(("days_ago", "engaged"), [(0, True), (90, True), (91, False)])
def test_engaged_is_a_word_from_the_customer_within_90_days(days_ago: int, engaged: bool) -> None:
    assert facts([mail(days_ago, "inbound"), mail(1, "outbound")])["engaged"] is engaged


# Adoption

SEATS: Happened = (200, "account", {"seats": 4})
FEATURES = Metrics(("api",), {"board": (ON - timedelta(10)).toordinal(), "later": 800_000})


def used(days_ago: int, user: str | None = "dana", **more: Any) -> Happened:
    return days_ago, "usage", ({"user": user} if user else {}) | more


def test_utilisation_is_average_daily_users_and_not_adoption() -> None:
    days = [used(n) for n in range(1, 16)] + [used(n, "kim") for n in range(1, 10)]
    found = facts([SEATS, *days, used(1), used(0, "lee"), used(31, "lee")])
    assert found["adoption"] == 50
    assert found["licence_utilisation"] == pytest.approx(100 * 24 / 30 / 4)


def test_advanced_and_basic_users_are_all_users_of_the_last_30_days() -> None:
    uses = [used(1, feature="api"), used(2, "kim", feature="x"), used(3, "lee"), used(4, "pat")]
    found = facts([*uses, used(31, "max", feature="api")], FEATURES)
    assert (found["advanced_users"], found["basic_users"]) == (25, 75)
    assert facts(uses)["advanced_users"] is None  # nobody says which features are advanced


def test_features_in_use_are_distinct_and_minutes_are_per_active_day() -> None:
    uses = [
        used(1, feature="a", minutes=10.5),
        used(1, None, feature="b", minutes=4.5),
        used(5, feature="a"),
        used(31, feature="c", minutes=99),
        used(0, feature="d", minutes=99),
    ]
    found = facts(uses)
    assert found["features_used"] == 2
    assert found["minutes_per_active_day"] == 7.5


def test_uptake_is_of_users_since_the_latest_launch() -> None:
    uses = [used(10, feature="board"), used(9, "kim"), used(11, "lee"), used(0, "pat")]
    assert facts(uses, FEATURES)["feature_uptake"] == 50
    assert facts(uses)["feature_uptake"] is None


def test_a_day_of_use_is_a_login_and_engagement_is_the_mean_of_three() -> None:
    days = [used(n) for n in range(1, 29, 2)] + [used(n, "kim") for n in (1, 2)]
    found = facts([SEATS, *days, used(29), used(29, "lee")])
    assert found["logins_per_user_week"] == 16 / 2 / 4  # in 28 days; lee's was before
    assert found["active_days_30d"] == 16
    assert found["engagement_score"] == pytest.approx((75 + 80 + 40) / 3)
    assert facts(days)["engagement_score"] is None  # without licences there is no adoption


# Success


def goal(days_ago: int, name: str = "g", **said: Any) -> Happened:
    return days_ago, "outcome", {"goal": name, **said}


def test_progress_is_the_mean_of_goals_and_those_achieved_are_at_100() -> None:
    found = facts([goal(9, progress=40), goal(8, "h", achieved=True, progress=70), goal(7, "i")])
    assert found["plan_progress"] == 70
    assert (found["goals"], found["goals_achieved"]) == (3, 1)
    assert facts([goal(9, progress=100)])["goals_achieved"] == 1
    assert facts([goal(9, progress=100), goal(8, achieved=False)])["goals_achieved"] == 0


@pytest.mark.parametrize(("due", "overdue"), [(1, 1), (0, 0), (-1, 0)])
def test_a_goal_is_overdue_after_its_date_unless_achieved(due: int, overdue: int) -> None:
    assert facts([goal(9, due=day(due))])["goals_overdue"] == overdue
    assert facts([goal(9, due=day(due), achieved=True)])["goals_overdue"] == 0
    assert facts([goal(9)])["goals_overdue"] == 0


def test_roi_and_outcome_are_of_goals_that_say_both_numbers() -> None:
    found = facts(
        [
            goal(9, cost=100, benefit=250, target=10, value=8),
            goal(8, "h", cost=100, target="5 days", value=3),
            goal(7, "i", benefit=50, cost=100, target=50, value=20),
        ]
    )
    assert found["roi"] == 50
    assert found["outcome_against_target"] == 60
    assert facts([goal(9, cost=0, benefit=9)])["roi"] is None


def test_time_to_value_is_from_the_first_event_to_the_first_achieved_goal() -> None:
    happened = [(50, "account", {"name": "Acme"}), goal(40, progress=10), goal(20, achieved=True)]
    assert facts([*happened, goal(30, "h", progress=100)])["time_to_value"] == 20
    assert facts(happened[:2])["time_to_value"] is None


# Voice


def said(days_ago: float, kind: str, score: Any, contact: str | None = None) -> Happened:
    return days_ago, "survey", {"kind": kind, "score": score, "contact": contact}


def test_nps_is_promoters_less_detractors_of_365_complete_days() -> None:
    scores = [(1, 10), (365, 9), (2, 8), (3, 6), (0, 0), (366, 0)]
    found = facts([said(days_ago, "nps", score) for days_ago, score in scores])
    assert found["nps"] == 25  # two of four less one
    assert found["nps_latest"] == 0  # today's
    assert facts([said(400, "nps", 7)])["nps"] is None
    assert facts([said(400, "nps", 7)])["nps_latest"] == 7


def test_csat_counts_4_and_5_of_90_complete_days() -> None:
    scores = [(1, 5), (90, 4), (2, 3), (3, 1), (91, 5), (0, 5)]
    assert facts([said(d, "csat", s) for d, s in scores])["csat"] == 50


def test_perceptions_are_shares_of_a_year() -> None:
    words = ["positive", "positive", "neutral", "negative"]
    found = facts([said(n + 1, "perception", word) for n, word in enumerate(words)])
    shares = [found[f"perception_{word}"] for word in ("positive", "neutral", "negative")]
    assert shares == [50, 25, 25]


def test_the_trend_is_on_one_scale_from_one_90_days_to_the_next() -> None:
    recent = [said(1, "nps", 9), said(90, "csat", 5)]  # 90 and 100
    before = [said(91, "perception", "neutral"), said(180, "csat", 2)]  # 50 and 25
    assert facts([*recent, *before])["survey_trend"] == pytest.approx(57.5)
    assert facts([*recent, said(181, "nps", 0)])["survey_trend"] is None


def test_a_detractor_waits_until_somebody_is_in_touch() -> None:
    unhappy = said(9, "nps", 6, "dana")
    assert facts([unhappy])["detractor_waiting"] == 9
    assert facts([unhappy, mail(5, "outbound", "kim")])["detractor_waiting"] == 9
    assert facts([unhappy, mail(9, "outbound")])["detractor_waiting"] == 0
    assert facts([unhappy, said(3, "nps", 9, "dana")])["detractor_waiting"] == 0
    assert facts([said(9, "nps", 6), mail(5, "outbound", "kim")])["detractor_waiting"] == 0
    assert facts([unhappy, said(20, "nps", 2, "kim")])["detractor_waiting"] == 20
    assert facts([said(365, "nps", 6)])["detractor_waiting"] == 0
    assert facts([said(2, "csat", 1)])["detractor_waiting"] is None
    assert facts([said(2, "csat", 1)])["days_since_survey"] == 2


# Support


def ticket(days_ago: float, status: str, name: str = "t", **more: Any) -> Happened:
    return days_ago, "ticket", {"ticket": name, "status": status, **more}


def test_tickets_are_open_until_resolved_and_again_when_opened_again() -> None:
    first = [ticket(50, "opened"), ticket(40, "resolved")]
    assert facts(first)["open_tickets"] == 0
    assert facts([*first, ticket(30, "opened")])["open_tickets"] == 1
    assert facts([ticket(400, "opened")])["open_tickets"] == 1


def test_a_ticket_resolved_before_it_opened_is_resolved() -> None:
    found = facts([ticket(50, "resolved"), ticket(40, "opened")])
    assert found["open_tickets"] == 0
    found = facts([ticket(50, "resolved"), ticket(40, "opened"), ticket(30, "escalated")])
    assert (found["open_tickets"], found["open_escalations"]) == (1, 1)


def test_escalations_are_counted_from_their_first_day() -> None:
    found = facts(
        [
            *(ticket(100, "opened", name) for name in "abcd"),
            ticket(90, "escalated", "a"),
            ticket(80, "deescalated", "a"),
            ticket(60, "escalated", "b"),
            ticket(50, "escalated", "b"),  # the same one still
            ticket(40, "resolved", "b"),
            ticket(35, "escalated", "c"),
            ticket(95, "escalated", "d"),
        ]
    )
    assert found["open_escalations"] == 2
    assert found["longest_open_escalation"] == 95
    assert found["escalations_90d"] == 3
    assert found["escalation_days_median"] == 20  # of 10, 20 and 35 so far
    assert facts([ticket(9, "opened")])["longest_open_escalation"] == 0


def test_defects_and_tickets_a_licence_are_of_tickets_of_90_complete_days() -> None:
    found = facts(
        [
            SEATS,
            ticket(90, "opened", "a", defect=True),
            ticket(1, "opened", "b"),
            ticket(0, "resolved", "b", defect=False),
            ticket(2, "opened", "c", defect=False),
            ticket(3, "opened", "d"),
            ticket(91, "opened", "e", defect=True),
            ticket(0, "opened", "f", defect=True),
        ]
    )
    assert found["defect_share"] == pytest.approx(100 / 3)
    assert found["tickets_per_licence"] == 1


# The contract


def sub(days_ago: int, status: str, name: str = "s", **more: Any) -> Happened:
    return days_ago, "subscription", {"subscription": name, "status": status, **more}


START = {"term_start": day(400), "term_end": day(-100)}


def test_mrr_changes_against_what_it_was_90_days_before() -> None:
    began = sub(400, "started", mrr=100, **START)
    assert facts([began, sub(89, "changed", mrr=150)])["mrr_change_90d"] == 50
    assert facts([began, sub(90, "changed", mrr=150)])["mrr_change_90d"] == 0
    assert facts([began, sub(1, "churned")])["mrr_change_90d"] == -100
    assert facts([sub(80, "started", mrr=100, term_start=day(80))])["mrr_change_90d"] is None
    assert facts([(400, "account", {"mrr": 9})])["mrr_change_90d"] is None


def test_expansion_and_contraction_are_rises_and_falls_within_a_year_and_no_churn() -> None:
    found = facts(
        [
            sub(400, "started", mrr=100, **START),
            sub(365, "changed", mrr=110),  # a year ago is where it starts
            sub(364, "changed", mrr=150),
            sub(200, "changed", mrr=120),
            sub(100, "started", "t", mrr=30, term_start=day(100), term_end=day(50)),
            sub(10, "churned"),
        ]
    )
    assert found["expansion_365d"] == 40 + 30
    assert found["contraction_365d"] == 30 + 30  # and the last fall, to 0, is churn


def test_arr_and_lifetime_value_follow_from_mrr() -> None:
    found = facts([sub(300, "started", mrr=365, term_start=day(300), term_end=day(-65))])
    assert found["arr"] == 12 * 365
    assert found["lifetime_value"] == 12 * 365
    assert found["term_elapsed"] == pytest.approx(100 * 300 / 365)
    assert facts([SEATS])["arr"] is None


@pytest.mark.parametrize(
    ("happened", "kind"),
    [
        ([sub(9, "trial", term_start=day(9))], "trial"),
        ([sub(9, "started", term_start=day(9))], "paid"),
        ([sub(9, "started", term_start=day(9), term_end=day(1))], "none"),
        ([sub(9, "started", term_start=day(9)), sub(1, "churned")], "none"),
        ([(9, "account", {"lifecycle": "trial"})], "trial"),
        ([(9, "account", {"lifecycle": "active"})], "paid"),
        ([(9, "account", {"lifecycle": "churned"})], "none"),
        ([SEATS], None),
    ],
)
def test_a_contract_is_trial_or_paid_or_none(happened: list[Happened], kind: str | None) -> None:
    assert facts(happened)["trial_or_paid"] == kind


def test_mrr_in_another_currency_than_the_accounts_makes_money_unknown() -> None:
    began = sub(400, "started", mrr=100, currency="USD", **START)
    found = facts([began, (9, "account", {"currency": "EUR", "mrr": 5})])
    money = ("mrr", "arr", "mrr_change_90d", "expansion_365d", "lifetime_value")
    assert [found[name] for name in money] == [None] * 5
    assert facts([began])["mrr"] == 100
