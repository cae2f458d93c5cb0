"""The lines on people that an alert carries: true, and fit to be read between two meetings."""

from collections.abc import Iterable
from datetime import date

import pytest

from worker.core.courses import Step
from worker.core.evidence import who
from worker.core.stats import AccountStats, ContactStats, UsageStats, Workspace
from worker.core.support import Tickets
from worker.core.ties import Bucket, Tie, state_of
from worker.core.voice import Voice

TODAY = date(2026, 2, 18)
ON = TODAY.toordinal()
EXECS, USERS = {"days_since_exec_contact"}, {"user_ties"}
NAMES = {"sam": "Sam Lee", "ana": "Ana Roy"}


def person(contact: str, name: str | None = None, title: str | None = None, **more) -> ContactStats:
    known = {"level": None, "role": None, "gone": None, "used": None} | more
    return ContactStats(contact, name, title, **known)


DANA = person("dana", "Dana Ruiz", "CIO")
ANALYST = person("bo", "Bo Ek", "Analyst", role="user")
LEE = person("lee", "Lee Park", "Analyst", role="champion")


def tie(rep: str, contact: str, *days_ago: int) -> Tie:
    """A tie of long meetings: three recent ones make it strong."""
    buckets = [Bucket(ON - days, 400, 0, 0) for days in sorted(days_ago, reverse=True)]
    state = state_of(buckets, 60)
    assert state is not None
    return Tie(rep, contact, state)


def lines(
    facts: Iterable[str], people: list[ContactStats], *ties: Tie, gone_reps: Iterable[str] = ()
) -> list[str]:
    stats = AccountStats("acme", contacts=people, ties=list(ties))
    workspace = Workspace(ON - 400, frozenset(gone_reps))
    return list(who(stats, ON, workspace, set(facts), NAMES))


def test_it_says_who_was_met_last_when_and_by_whom():
    first, *_ = lines(EXECS, [DANA], tie("sam", "dana", 22, 50, 80), tie("ana", "dana", 90))
    assert first == (
        "Last executive contact: Dana Ruiz, CIO, 27 Jan 2026, 22 days ago, with Sam Lee; "
        "strong tie."
    )


@pytest.mark.parametrize(
    ("ties", "said"),
    [
        ([tie("sam", "dana", 3, 6, 9)], "The one strong tie is with Sam Lee: Dana Ruiz, CIO."),
        (
            [tie("sam", "dana", 3, 6, 9), tie("sam", "bo", 3, 6, 9), tie("ana", "lee", 3)],
            "Both strong ties are with Sam Lee: Bo Ek, Analyst; Dana Ruiz, CIO.",
        ),
        (
            [tie("sam", "dana", 3, 6, 9), tie("ana", "bo", 3, 6, 9), tie("ana", "dana", 3, 6, 9)],
            "2 of 3 strong ties are with Ana Roy: Bo Ek, Analyst; Dana Ruiz, CIO.",
        ),
    ],
)
def test_it_says_which_rep_holds_the_strong_ties_and_with_whom(ties, said):
    assert lines({"single_rep_share"}, [DANA, ANALYST, LEE], *ties) == [said]


def test_a_rep_or_contact_who_has_left_holds_no_strong_tie():
    left = person("dana", gone=True)
    ties = tie("sam", "dana", 3, 6, 9), tie("ana", "bo", 3, 6, 9)
    assert lines({"single_rep_share"}, [left, ANALYST], *ties, gone_reps=["ana"]) == []


def ticket(*steps: tuple[int, str], topic: str | None = None) -> list[Step]:
    """A ticket that came to these states so many days ago."""
    times = ((date.fromordinal(ON - days).isoformat(), status) for days, status in steps)
    return [Step(f"{at}T12:00:00", "1", "desk", {"status": s, "topic": topic}) for at, s in times]


def test_it_says_what_is_escalated_and_since_when():
    tickets = [
        ticket((9, "opened"), (4, "escalated"), topic="invoices"),
        ticket((30, "opened"), (12, "escalated")),
        ticket((9, "opened"), (8, "escalated"), (2, "resolved"), topic="login"),
        ticket((3, "opened"), (-1, "escalated"), topic="tomorrow's"),
    ]
    stats = AccountStats("acme", tickets=Tickets(ON - 30, tickets))
    assert who(stats, ON, Workspace(ON - 400), {"longest_open_escalation"}, NAMES) == (
        "Escalation: since 6 Feb 2026, 12 days ago.",
        "Escalation of invoices: since 14 Feb 2026, 4 days ago.",
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [(3, ()), (4, ("1 more escalation is open.",)), (5, ("2 more escalations are open.",))],
)
def test_of_many_escalations_it_says_how_many_more_are_open(number, said):
    tickets = Tickets(ON - 30, [ticket((9, "opened"), (4, "escalated"))] * number)
    stats = AccountStats("acme", tickets=tickets)
    found = who(stats, ON, Workspace(ON - 400), {"open_escalations"}, NAMES)
    assert found[3:] == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(3, ()), (4, ("1 more detractor waits.",)), (5, ("2 more detractors wait.",))],
)
def test_of_many_detractors_it_says_how_many_more_wait(number, said):
    voice = Voice(nps_days={f"c{n}": (ON - 8, True) for n in range(number)})
    stats = AccountStats("acme", voice=voice)
    assert who(stats, ON, Workspace(ON - 400), {"detractor_waiting"}, NAMES)[3:] == said


def test_who_has_no_name_or_title_is_named_by_id():
    first, *_ = lines(EXECS, [person("dana", level="vp")], tie("kim", "dana", 22))
    assert first == (
        "Last executive contact: dana, 27 Jan 2026, 22 days ago, with kim; moderate tie."
    )


def test_it_says_who_is_nearest_when_that_is_someone_else():
    vp = person("kit", "Kit Moe", "VP Operations")
    found = lines(EXECS, [DANA, vp], tie("sam", "dana", 22), tie("ana", "kit", 30, 33, 36))
    assert found[1:] == ["Strong executive tie: Kit Moe, VP Operations, 30 days ago, with Ana Roy."]


def test_it_says_that_no_tie_is_strong_and_which_is_the_nearest():
    vp = person("kit", "Kit Moe", "VP Operations")
    found = lines(EXECS, [DANA, vp], tie("sam", "dana", 22), tie("ana", "kit", 34, 35))
    assert found[1] == (
        "No strong tie to any executive; nearest: Kit Moe, VP Operations, moderate tie, "
        "34 days ago, with Ana Roy."
    )
    assert lines(EXECS, [DANA], tie("sam", "dana", 22))[1] == (
        "No strong tie to any executive; this is the nearest."
    )


def test_several_strong_ties_are_named_each_once():
    people = [DANA, *(person(f"x{n}", f"Bo {n}", "CEO") for n in range(1, 8))]
    ties = [tie("sam", one.contact, 2, 3, 4) for one in people[1:]]
    found = lines(EXECS, people, tie("sam", "dana", 1, 2, 3), *ties)
    assert found[1].startswith("Other strong ties to executives: Bo 7, CEO, 2 days ago, with Sam")
    assert found[1].endswith("; 2 more.")
    assert "Dana" not in found[1]


def test_where_some_ties_are_strong_it_says_who_could_be_next():
    vp = person("kit", "Kit Moe", "VP Operations")
    found = lines(EXECS, [DANA, vp], tie("sam", "dana", 2, 3, 4), tie("ana", "kit", 34))
    assert found[1:] == [
        "Next nearest: Kit Moe, VP Operations, moderate tie, 34 days ago, with Ana Roy."
    ]


def test_it_names_who_is_missing():
    others = [person(f"x{n}", f"Bo {n}", "CEO") for n in range(1, 6)]
    found = lines(EXECS, [DANA, *others], tie("sam", "dana", 2, 3, 4))
    assert found[1:] == ["No tie with Bo 1, CEO; Bo 2, CEO; Bo 3, CEO; 2 more."]


def test_of_missing_users_it_names_first_who_used_the_product_last():
    users = [person("a", used=ON - 9), person("b", used=ON - 2), LEE]
    found = lines(USERS, users, tie("sam", "lee", 2, 3, 4))
    assert found[1:] == ["No tie with b; a."]


def test_a_tie_that_has_faded_is_missing():
    vp = person("kit", "Kit Moe", "VP Operations")
    found = lines(EXECS, [DANA, vp], tie("sam", "dana", 2, 3, 4), tie("ana", "kit", 390))
    assert "No tie with Kit Moe, VP Operations." in found


def test_it_does_not_name_the_same_person_twice():
    found = lines(EXECS, [DANA], tie("sam", "dana", 1, 2, 3))
    assert found == [
        "Last executive contact: Dana Ruiz, CIO, 17 Feb 2026, 1 day ago, with Sam Lee; strong tie.",
    ]


def test_without_a_tie_to_the_kind_it_says_who_else_is_near():
    found = lines(EXECS, [DANA, LEE], tie("sam", "lee", 1, 2, 3))
    assert found[1:] == ["Nearest other: Lee Park, Analyst, strong tie, 1 day ago, with Sam Lee."]


def test_what_was_said_today_was_today():
    assert lines(EXECS, [DANA, LEE], tie("sam", "lee", 0))[1].endswith(", today, with Sam Lee.")


def test_nobody_of_the_kind_is_known():
    assert lines(EXECS, [LEE]) == ["No executive is known at this account."]
    assert lines(USERS, [DANA]) == ["No user is known at this account."]


def test_known_people_without_any_contact_are_counted():
    people = [DANA, person("kit", level="vp"), person("old", level="vp", gone=True)]
    assert lines(EXECS, people) == [
        "No contact yet with any of the 2 known executives: Dana Ruiz, CIO; kit."
    ]


def test_one_known_person_without_contact_is_not_any_of_1():
    (line,) = lines(EXECS, [DANA])
    assert "any of the 1 " not in line
    assert "executives" not in line


def test_it_speaks_of_users_where_the_rule_does():
    found = lines(USERS, [DANA, LEE], tie("sam", "lee", 40), tie("sam", "dana", 1))
    assert found[0] == (
        "Last user contact: Lee Park, Analyst, 9 Jan 2026, 40 days ago, with Sam Lee; moderate tie."
    )
    assert not any("executive" in line for line in found)


def test_who_used_the_product_lately_is_a_user():
    recent = person("kit", "Kit Moe", used=ON - 90)
    assert lines(USERS, [recent], tie("sam", "kit", 3))[0].startswith("Last user contact: Kit Moe")
    past = person("kit", "Kit Moe", used=ON - 91)
    assert lines(USERS, [past], tie("sam", "kit", 3))[0] == "No user is known at this account."


def test_executives_come_before_users_where_a_rule_speaks_of_both():
    found = lines(EXECS | USERS, [DANA, LEE], tie("sam", "dana", 5), tie("sam", "lee", 4))
    firsts = [line.partition(":")[0] for line in found if line.startswith("Last ")]
    assert firsts == ["Last executive contact", "Last user contact"]


@pytest.mark.parametrize("fact", ["mrr", "days_since_contact", "licences_used", "usage_change"])
def test_a_rule_that_speaks_of_neither_names_nobody(fact):
    assert lines([fact], [DANA, LEE], tie("sam", "dana", 5)) == []


@pytest.mark.parametrize(
    "fact", ["strong_exec_ties", "exec_ties", "known_execs", "days_since_exec_contact"]
)
def test_every_fact_on_executives_brings_them_in(fact):
    assert lines([fact], [DANA], tie("sam", "dana", 5))[0].startswith("Last executive contact")


@pytest.mark.parametrize(
    "fact", ["strong_user_ties", "user_ties", "known_users", "days_since_user_contact"]
)
def test_every_fact_on_users_brings_them_in(fact):
    assert lines([fact], [LEE], tie("sam", "lee", 5))[0].startswith("Last user contact")


def test_a_contact_who_has_left_may_have_been_the_last_but_is_near_no_more():
    gone = DANA._replace(gone=True)
    found = lines(EXECS, [gone, LEE], tie("sam", "dana", 5, 6, 7), tie("sam", "lee", 9, 10, 11))
    assert found == [
        "Last executive contact: Dana Ruiz, CIO (has left), 13 Feb 2026, 5 days ago, with Sam Lee.",
        "Nearest other: Lee Park, Analyst, strong tie, 9 days ago, with Sam Lee.",
    ]


def test_a_champion_who_has_left_is_named_and_who_of_the_users_is_nearest():
    gone = LEE._replace(gone=True)
    found = lines({"champions", "champions_left"}, [gone, ANALYST], tie("sam", "bo", 9, 10, 11))
    assert found == [
        "Champion: Lee Park, Analyst (has left).",
        "Last user contact: Bo Ek, Analyst, 9 Feb 2026, 9 days ago, with Sam Lee; strong tie.",
    ]


def test_detractors_are_named_whom_nobody_has_called_the_longest_wait_first():
    voice = Voice(
        latest=3,
        nps_days={
            "lee": (ON - 8, True),
            "": (ON - 9, True),
            "dana": (ON - 20, True),  # met since
            "bo": (ON - 30, False),
        },
    )
    ties = [tie("sam", "dana", 7)]
    stats = AccountStats("acme", contacts=[DANA, LEE], ties=ties, voice=voice)
    assert who(stats, ON, Workspace(ON - 400), {"detractor_waiting"}, NAMES) == (
        "Detractor: Lee Park, Analyst, 10 Feb 2026, 8 days ago, without contact since.",
    )
    alone = AccountStats("acme", contacts=[LEE], voice=voice)
    assert who(alone, ON, Workspace(ON - 400), {"detractor_waiting"}, NAMES) == (
        "Detractor: dana, 29 Jan 2026, 20 days ago, without contact since.",
        "Detractor: somebody whom the survey does not name, 9 Feb 2026, 9 days ago, "
        "without contact since.",
        "Detractor: Lee Park, Analyst, 10 Feb 2026, 8 days ago, without contact since.",
    )


def test_a_rep_who_has_left_has_no_tie_to_offer():
    people = [DANA, person("kit", "Kit Moe", "VP Operations")]
    ties = [tie("ana", "dana", 4, 5, 6), tie("sam", "kit", 20, 21, 22)]
    found = lines(EXECS, people, *ties, gone_reps=["ana"])
    assert found[0] == (
        "Last executive contact: Dana Ruiz, CIO, 14 Feb 2026, 4 days ago, with Ana Roy (has left)."
    )
    assert found[1].startswith("Strong executive tie: Kit Moe, VP Operations")


def test_a_rep_who_has_left_is_not_named_as_if_still_here():
    found = lines(EXECS, [DANA], tie("ana", "dana", 4), gone_reps=["ana"])
    assert "has left" in found[0]


@pytest.mark.parametrize(
    ("unknown", "line"),
    [
        (1, "1 contact has no known level: a title would say whether they decide."),
        (2, "2 contacts have no known level: a title would say whether they decide."),
    ],
)
def test_contacts_of_unknown_level_are_counted_as_they_may_be_executives(unknown, line):
    people = [person(f"x{number}") for number in range(unknown)]
    people += [LEE, person("y", gone=True)]
    assert lines(EXECS, people)[-1] == line
    assert line not in lines(USERS, people)


def test_no_line_depends_on_the_order_in_which_people_and_ties_are_read():
    people = [DANA, LEE, person("kit", "Kit Moe", "VP Operations")]
    ties = [
        tie("sam", "dana", 5),
        tie("ana", "dana", 5),
        tie("sam", "kit", 5),
        tie("ana", "lee", 5),
    ]
    assert lines(EXECS | USERS, people, *ties) == lines(EXECS | USERS, people[::-1], *ties[::-1])


def test_days_are_written_as_people_write_them():
    found = lines(EXECS, [DANA], tie("sam", "dana", (TODAY - date(2025, 12, 3)).days))
    assert "3 Dec 2025" in found[0]


def test_a_rule_on_usage_brings_both_windows_and_the_last_day() -> None:
    usage = UsageStats(ON - 1, 1_200, 2_400, 1)
    stats = AccountStats("acme", usage=usage, first_usage_day=ON - 90)
    assert who(stats, ON, Workspace(None), {"usage_change", "usage_30d"}, NAMES) == (
        "Usage 19 Jan 2026 to 17 Feb 2026: 1,200 on 1 day; in the 30 days before: 2,400; "
        "last on 17 Feb 2026.",
    )
    assert who(AccountStats("acme"), ON, Workspace(None), {"usage_change"}, NAMES) == ()


def test_a_rule_on_adoption_names_the_last_to_use_it_first_and_counts_the_rest() -> None:
    people = [person(f"p{n}", used=ON - n) for n in range(1, 8)]
    away = [person("gone", gone=True, used=ON - 1), person("long-ago", used=ON - 31)]
    assert lines({"adoption"}, [*people, *away]) == [
        "Used it 19 Jan 2026 to 17 Feb 2026: p1; p2; p3; p4; p5; 2 more."
    ]
    assert lines({"licences_used"}, away) == []
