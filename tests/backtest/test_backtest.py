"""What backtests count, what they make of outcomes, and what they say an edit changes."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories import TODAY, histories, parsed
from tests.pipeline import event, meeting
from worker.backtest.difference import differences
from worker.backtest.figures import Figures, figures
from worker.backtest.outcomes import OutcomesRefused, Score, read_outcomes, scored
from worker.backtest.page import backtest_page, diff_page
from worker.backtest.replay import Period, Raised, Replay, replay
from worker.core.conditions import Compare, Comparison
from worker.core.rules import Mode, Rule, RuleSet, Severity, rule_set
from worker.core.ties import TieSettings
from worker.rulebooks.rulebook import Rulebook

DAY = timedelta(days=1)
PERIOD = Period(date(2025, 1, 1), date(2025, 12, 31))


def rule(id_: str, fact: str = "days_since_contact", over: int = 15, **more: object) -> Rule:
    when = Compare(fact, Comparison.OVER, (over,))
    return Rule(id_, id_, Severity.LOW, when, **more)  # type: ignore[arg-type]


def rules(*ids: str) -> RuleSet:
    return rule_set([rule(id_) for id_ in ids], [])


def flag(
    account: str,
    opened: date,
    days: int | None = None,
    rule: str = "quiet",
    owner: str | None = "sam",
    of_customer: bool = True,
) -> Raised:
    """One that resolved so many days after it opened, or never."""
    end = None if days is None else opened + timedelta(days=days)
    return Raised(account, rule, opened, opened, owner, of_customer, end)


def replayed(raised: Iterable[Raised], accounts: Iterable[str] = ("acme", "birch")) -> Replay:
    """As if the rule `quiet` had raised these, in a period with these customers on every day."""
    known = sorted(accounts)
    days = [PERIOD.first + DAY * n for n in range((PERIOD.last - PERIOD.first).days + 1)]
    return Replay(
        rules("quiet"),
        PERIOD,
        sorted(raised, key=lambda one: one[:4]),
        frozenset(known),
        dict.fromkeys(days, known),
        {},
        len(known) * len(days),
        PERIOD.last,
    )


def counted(*raised: Raised) -> Figures:
    (found,) = figures(replayed(raised))
    return found


def score(raised: Sequence[Raised], churns: dict[str, date], within: int = 180, **more) -> Score:
    return scored(replayed(raised, **more), churns, within).scores["quiet"]


# Figures

MARCH = date(2025, 3, 10)  # a Monday


def test_a_flag_counts_in_the_period_in_which_it_opens():
    before, inside = PERIOD.first - DAY, PERIOD.first
    found = counted(flag("acme", before, 5), flag("birch", inside, 5), flag("birch", MARCH))
    assert (found.flags, found.accounts) == (2, 1)
    assert (found.open_at_start, found.open_at_end) == (1, 1)
    assert sum(number for _, number in found.by_week) == 2


def test_a_flag_that_resolved_before_the_first_day_was_not_open_on_it():
    resolved_before = flag("acme", PERIOD.first - 9 * DAY, 8)
    resolves_that_day = flag("birch", PERIOD.first - 9 * DAY, 9)
    assert counted(resolved_before, resolves_that_day).open_at_start == 1


def test_days_open_count_to_the_end_of_the_period_for_what_is_open_still():
    found = counted(flag("acme", MARCH, 4), flag("birch", PERIOD.last - 10 * DAY))
    assert (found.median_days_open, found.longest_days_open) == (7, 10)
    assert (counted().median_days_open, counted().longest_days_open) == (None, None)


@pytest.mark.parametrize(("pause", "flapping"), [(14, ("acme",)), (15, ())])
def test_a_flag_flaps_if_it_opens_again_within_14_days_after_it_resolved(pause, flapping):
    again = MARCH + timedelta(days=3 + pause)
    assert counted(flag("acme", MARCH, 3), flag("acme", again, 1)).flapping == flapping
    assert counted(flag("acme", MARCH, 3), flag("birch", again, 1)).flapping == ()
    before = PERIOD.first - timedelta(days=9)
    assert counted(flag("acme", before, 3), flag("acme", before + 4 * DAY, 1)).flapping == ()


def test_weeks_begin_on_mondays_and_those_without_a_flag_are_there_too():
    found = counted(
        flag("acme", MARCH), flag("birch", MARCH + 6 * DAY), flag("ash", MARCH + 7 * DAY)
    )
    assert found.by_week[0] == (date(2024, 12, 30), 0)
    assert found.by_week[-1] == (date(2025, 12, 29), 0)
    assert dict(found.by_week)[MARCH] == 2
    assert dict(found.by_week)[MARCH + 7 * DAY] == 1
    assert len(found.by_week) == 53


def test_flags_count_for_the_owner_of_the_day_and_accounts_without_one_come_last():
    found = counted(flag("a", MARCH, owner="zoe"), flag("b", MARCH, owner=None), flag("c", MARCH))
    assert found.by_rep == (("sam", 1), ("zoe", 1), (None, 1))


# Replays


def book(*of: Rule, half_life: int = 60) -> Rulebook:
    return Rulebook(rule_set(of, []), TieSettings(half_life))


def run(history: list[dict], *books: Rulebook, first: date, last: date) -> list[Replay]:
    events = sorted(parsed(history), key=lambda one: (one.time, one.id, one.source))
    return replay((e for e in events if e.time.date() <= last), books, Period(first, last))


def test_the_flags_and_holds_of_the_first_day_come_from_the_days_before_it():
    start = date(2026, 1, 5)
    (found,) = run(
        [meeting(start)],
        book(rule("quiet", over=15, hold_for=2)),
        first=start + 18 * DAY,
        last=start + 20 * DAY,
    )
    (raised,) = found.raised
    assert raised.first_true_on == start + 16 * DAY
    assert raised.opened_on == start + 18 * DAY


def test_the_owner_is_that_of_the_day_on_which_the_flag_opened():
    start = date(2026, 1, 5)
    history = [
        meeting(start),
        event("account", start, owner="ana"),
        event("account", start + 16 * DAY, owner="zoe"),
        event("account", start + 17 * DAY, owner="sam"),
        meeting(start + 18 * DAY),  # by which it begins to clear
    ]
    patient = rule("quiet", keep_open_for=9)
    (found,) = run(history, book(patient), first=start, last=start + 30 * DAY)
    assert [one.owner for one in found.raised] == ["zoe"]


def test_unknown_counts_account_days_of_the_period_and_exceptions_are_not_unknown():
    start = date(2026, 1, 5)
    churned = Compare("lifecycle", Comparison.IS, ("churned",))
    history = [
        meeting(start),
        meeting(start, account="birch"),
        event("account", start, account="birch", lifecycle="churned"),
    ]
    unused = rule("unused", "days_since_usage", except_when=churned)
    (found,) = run(history, book(unused), first=start + DAY, last=start + 10 * DAY)
    (told,) = figures(found)
    assert (found.account_days, found.unknown) == (20, {"unused": 10})
    assert told.unknown_share == 0.5


def test_customers_are_the_accounts_known_by_the_day_that_had_not_churned():
    start = date(2026, 1, 5)
    history = [
        meeting(start),
        meeting(start + DAY, account="birch"),
        event("account", start + 2 * DAY, lifecycle="churned"),
    ]
    (found,) = run(history, book(rule("quiet")), first=start, last=start + 2 * DAY)
    assert list(found.customers.values()) == [["acme"], ["acme", "birch"], ["birch"]]
    assert found.accounts == {"acme", "birch"}


BOOKS = (
    book(rule("quiet", hold_for=1), rule("used", "usage_30d", 2), rule("tied", "user_ties", 0)),
    book(rule("quiet", over=20), rule("tied", "user_ties", 0), half_life=5),
)


@settings(max_examples=40)
@given(histories())
def test_what_happens_later_changes_no_flag_before(history):
    """No look-ahead: a replay that ends earlier has raised the same by then."""
    first, cut, last = TODAY - 90 * DAY, TODAY - 30 * DAY, TODAY
    if not any(one.time.date() <= cut for one in parsed(history)):
        return
    (whole,) = run(history, BOOKS[0], first=first, last=last)
    (part,) = run(history, BOOKS[0], first=first, last=cut)

    def by_then(raised: Sequence[Raised]) -> list[Raised]:
        return [
            one._replace(resolved_on=None) if one.resolved_on and one.resolved_on > cut else one
            for one in raised
            if one.opened_on <= cut
        ]

    assert by_then(whole.raised) == list(part.raised)
    assert all(part.customers[day] == whole.customers[day] for day in part.customers)


@settings(max_examples=40)
@given(histories())
def test_rulebooks_replayed_together_do_what_each_does_alone(history):
    if not history:
        return
    days = {"first": TODAY - 60 * DAY, "last": TODAY + DAY}
    together = run(history, *BOOKS, **days)
    assert together == [run(history, one, **days)[0] for one in BOOKS]


# Outcomes


@pytest.mark.parametrize(("days", "hits"), [(1, 1), (180, 1), (181, 0)])
def test_a_flag_comes_true_if_its_account_leaves_within_so_many_days(days, hits):
    found = score([flag("acme", MARCH)], {"acme": MARCH + timedelta(days=days)})
    assert (found.flagged, found.hits, found.precision) == (1, hits, float(hits))


def test_a_flag_on_the_day_of_the_churn_or_later_tells_nothing_and_is_not_judged():
    for opened in (MARCH, MARCH + DAY):
        found = score([flag("acme", opened)], {"acme": MARCH})
        assert (found.flagged, found.not_judged, found.precision) == (0, 0, None)
        assert (found.churned, found.caught, found.recall) == (1, 0, 0.0)


def test_a_flag_on_an_account_that_had_churned_as_far_as_the_events_tell_counts_nowhere():
    """The file may say it later than the events do: that would be telling what is known."""
    found = score([flag("acme", MARCH, of_customer=False)], {"acme": MARCH + 9 * DAY})
    assert (found.flagged, found.caught) == (0, 0)


def test_flags_are_judged_only_where_all_the_days_they_speak_of_were_seen():
    judged, late = PERIOD.last - 180 * DAY, PERIOD.last - 179 * DAY
    churns = {"acme": late + 9 * DAY, "birch": judged + 9 * DAY}
    found = score([flag("acme", late), flag("birch", judged)], churns)
    assert (found.flagged, found.not_judged, found.hits) == (1, 1, 1)
    later = churns | {"elsewhere": PERIOD.last + DAY}
    assert score([flag("acme", late), flag("birch", judged)], later).flagged == 2


def test_chance_is_the_share_of_that_days_customers_who_leave():
    """Of four customers one has left and one will: of three who could, one."""
    accounts = ("acme", "ash", "birch", "oak")
    churns = {"oak": MARCH - 9 * DAY, "acme": MARCH + 9 * DAY}
    found = score([flag("acme", MARCH), flag("birch", MARCH)], churns, accounts=accounts)
    assert found.precision == 0.5
    assert found.chance == pytest.approx(1 / 3)
    assert found.lift == pytest.approx(1.5)


def churn_of(accounts: Sequence[str], chance: Random) -> dict[str, date]:
    days = [PERIOD.first + DAY * chance.randrange(365) for _ in accounts]
    pairs = zip(accounts, days, strict=True)
    return {account: day for account, day in pairs if chance.random() < 0.4}


ACCOUNTS = [f"a{number:02}" for number in range(30)]


@given(st.integers(0, 2**32), st.lists(st.integers(0, 180), min_size=1, max_size=20))
def test_a_rule_that_flags_every_customer_of_a_day_has_a_lift_of_exactly_one(seed, days):
    churns = churn_of(ACCOUNTS, Random(seed))
    opened = [flag(a, PERIOD.first + DAY * n, 0) for a in ACCOUNTS for n in set(days)]
    found = score(opened, churns, accounts=ACCOUNTS)
    assert found.lift is None if not found.hits else found.lift == pytest.approx(1)


def test_flags_on_customers_drawn_by_lot_have_a_lift_of_one_on_average():
    """Whenever they come: here most of them come in the weeks in which most are about to leave."""
    chance = Random(7)
    lifts = []
    for _ in range(300):
        churns = churn_of(ACCOUNTS, chance)
        raised = set()
        for _ in range(40):
            day = PERIOD.first + DAY * int(180 * chance.random() ** 3)
            staying = [a for a in ACCOUNTS if a not in churns or churns[a] > day]
            raised.add(flag(chance.choice(staying), day, 0))
        lifts.append(score(list(raised), churns, accounts=ACCOUNTS).lift)
    assert mean(lifts) == pytest.approx(1, abs=0.04)


def test_a_rule_that_knows_who_leaves_has_the_greatest_lift_there_is():
    churns = {"a00": MARCH + 9 * DAY, "a01": MARCH + 10 * DAY, "a02": MARCH + 11 * DAY}
    found = score([flag(a, MARCH) for a in churns], churns, accounts=ACCOUNTS)
    assert (found.precision, found.recall, found.lift) == (1, 1, pytest.approx(10))


def test_a_churn_is_caught_by_a_flag_that_was_up_on_some_day_of_the_horizon():
    churns = {"acme": MARCH}
    days = timedelta(days=180)
    up_on_its_first_day = flag("acme", MARCH - days - 9 * DAY, 10)
    resolved_by_then = flag("acme", MARCH - days - 9 * DAY, 9)
    assert score([up_on_its_first_day], churns).caught == 1
    assert score([resolved_by_then], churns).caught == 0
    assert score([flag("acme", PERIOD.first - 400 * DAY)], churns).caught == 1


def test_days_ahead_are_those_of_the_last_flag_since_an_older_one_had_cleared():
    churns = {"acme": MARCH, "birch": MARCH}
    raised = [
        flag("acme", MARCH - 60 * DAY, 5),
        flag("acme", MARCH - 20 * DAY, 5),
        flag("acme", MARCH + DAY),
        flag("birch", MARCH - 30 * DAY),
    ]
    assert score(raised, churns).median_lead_days == 25


def test_only_churns_of_the_period_and_of_known_accounts_are_to_be_caught():
    churns = {"acme": PERIOD.first - DAY, "birch": PERIOD.last + DAY, "elsewhere": MARCH}
    found = scored(replayed([]), churns, 180)
    assert found.unknown_accounts == ("elsewhere",)
    assert (found.scores["quiet"].churned, found.scores["quiet"].recall) == (0, None)


def test_an_outcomes_file_may_come_from_a_spreadsheet(tmp_path):
    file = tmp_path / "gone.csv"
    file.write_bytes(
        b'\xef\xbb\xbfaccount, churned_on\r\n"acme, inc",2025-03-10\r\n\r\nbirch , 2025-04-01\r\n'
    )
    assert read_outcomes(file) == {"acme, inc": MARCH, "birch": date(2025, 4, 1)}


def test_everything_wrong_with_an_outcomes_file_is_told_at_once_with_its_line(tmp_path):
    file = tmp_path / "gone.csv"
    lines = [
        "acme,10.3.2025",
        "birch",
        ",2025-03-10",
        "oak,2025-03-10",
        "oak,2025-03-11",
        "elm,0025-01-01",
    ]
    file.write_text("\n".join(["account,churned_on", *lines]))
    with pytest.raises(OutcomesRefused) as refused:
        read_outcomes(file)
    assert refused.value.problems == (
        f"{file}:2: '10.3.2025' is not a date: write it like 2026-03-31",
        f"{file}:3: has 1 columns: write the account's id and the day, like acme,2026-03-31",
        f"{file}:4: names no account: write its id in the first column",
        f"{file}:6: 'oak' is there already: keep the line of the day on which it first left",
        f"{file}:7: '0025-01-01' is not a date: write it like 2026-03-31",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ":1: the first line must be account,churned_on"),
        (b"acme,2025-03-10\n", ":1: the first line must be account,churned_on"),
        (b"account,churned_on\n\xff,2025-03-10\n", "is not UTF-8"),
        (b"account,churned_on\n" + b"x" * 200_000 + b",2025-03-10\n", ":2: is not CSV"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_outcomes_file_is_refused(tmp_path, content, told):
    file = tmp_path / "gone.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OutcomesRefused) as refused:
        read_outcomes(file)
    assert told in str(refused.value)


# Differences


def difference(old: Sequence[Raised], new: Sequence[Raised]):
    (found,) = differences(replayed(old), replayed(new))
    return found


def test_flags_that_were_up_at_one_time_are_one_that_moved():
    found = difference([flag("acme", MARCH, 30)], [flag("acme", MARCH + 9 * DAY, 21)])
    ((old, new),) = found.moved
    assert (old.opened_on, new.opened_on) == (MARCH, MARCH + 9 * DAY)
    assert (found.gained, found.lost, found.kept) == ((), (), 0)


def test_flags_that_never_were_up_together_are_one_lost_and_one_gained():
    old, new = flag("acme", MARCH, 9), flag("acme", MARCH + 9 * DAY, 9)
    found = difference([old], [new])
    assert (found.gained, found.lost, found.moved) == ((new,), (old,), ())


def test_of_several_that_were_up_at_one_time_the_first_belong_together():
    early, late = flag("acme", MARCH, 3), flag("acme", MARCH + 5 * DAY, 1)
    long = flag("acme", MARCH - DAY, 9)
    assert difference([early, late], [long]).moved == ((early, long),)
    assert difference([early, late], [long]).lost == (late,)
    assert difference([long], [early, late]).moved == ((long, early),)
    assert difference([long], [early, late]).gained == (late,)


def test_a_flag_that_resolves_on_another_day_is_told_as_such():
    found = difference([flag("acme", MARCH, 3)], [flag("acme", MARCH)])
    assert (len(found.ended), found.kept, found.moved) == (1, 0, ())


def test_rules_of_one_side_only_gain_or_lose_all_their_flags():
    old = replayed([flag("acme", MARCH)])
    new = Replay(rules("other"), PERIOD, [flag("acme", MARCH, rule="other")], *_rest(old))
    lost, gained = sorted(differences(old, new), key=lambda one: one.rule, reverse=True)
    assert (lost.rule, len(lost.lost), len(lost.gained)) == ("quiet", 1, 0)
    assert (gained.rule, len(gained.lost), len(gained.gained)) == ("other", 0, 1)


def _rest(of: Replay) -> tuple:
    return of.accounts, of.customers, of.unknown, of.account_days, of.ended


@settings(max_examples=40)
@given(histories())
def test_an_edit_changes_exactly_the_flags_in_which_two_backtests_differ(history):
    if not history:
        return
    days = {"first": TODAY - 90 * DAY, "last": TODAY}
    before, after = (book(rule("quiet", over=n), rule("used", "usage_30d", 2)) for n in (10, 20))
    old, new = run(history, before, after, **days)
    assert all(
        (one.gained, one.lost, one.moved, one.ended) == ((), (), (), ())
        for one in differences(old, old)
    )
    found = {one.rule: one for one in differences(old, new)}
    assert found["used"].kept == sum(one.rule == "used" for one in old.up())

    def spans(raised: Iterable[Raised]) -> set[tuple]:
        return {(one.account, one.opened_on, one.resolved_on) for one in raised}

    quiet = found["quiet"]
    pairs = [*quiet.moved, *quiet.ended]
    changed_old = spans([*quiet.lost, *(pair.old for pair in pairs)])
    changed_new = spans([*quiet.gained, *(pair.new for pair in pairs)])
    ours, theirs = (spans(f for f in one.up() if f.rule == "quiet") for one in (old, new))
    assert changed_old == ours - theirs
    assert changed_new == theirs - ours
    assert quiet.kept == len(ours & theirs)
    assert all(old.account == new.account for old, new in pairs)


# Pages

HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def hostile(raised: Sequence[Raised]) -> Replay:
    of = replayed([], accounts=[HOSTILE])
    shadow = rule(HOSTILE, mode=Mode.SHADOW)
    return Replay(rule_set([shadow], []), PERIOD, raised, *_rest(of))


def test_pages_show_names_as_text_and_load_nothing():
    one = flag(HOSTILE, MARCH, rule=HOSTILE, owner=HOSTILE)
    old, new = hostile([one]), hostile([one._replace(opened_on=MARCH + DAY)])
    outcomes = scored(old, {HOSTILE: MARCH + 9 * DAY}, 180)
    for page in (
        backtest_page(old, figures(old), outcomes),
        diff_page(old, new, differences(old, new)),
    ):
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;" in page
        assert not any(word in page for word in ("http", "//", "<script", "@import", "url("))


def test_pages_have_a_bar_for_every_week_and_none_for_rules_without_a_flag():
    of = replayed([flag("acme", MARCH)])
    page = backtest_page(of, figures(of), None)
    assert page.count("<rect") == 53
    assert 'height="1.0000"><title>week of 10 Mar 2025: 1</title>' in page
    assert "<svg" not in backtest_page(replayed([]), figures(replayed([])), None)


def test_a_page_of_an_edit_has_bars_for_before_and_after():
    old, new = replayed([flag("acme", MARCH)]), replayed([flag("acme", MARCH + 7 * DAY)])
    page = diff_page(old, new, differences(old, new))
    assert page.count('<rect class="past"') == page.count('<rect class="now"') == 53
    assert "<svg" not in diff_page(old, old, differences(old, old))
