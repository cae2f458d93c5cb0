"""What a rule in shadow would add to the live ones."""

from datetime import date, timedelta

from worker.core.shadows import Raised, Volume, volumes

D = date(2026, 3, 1)


def raised(rule: str, account: str, begin: int, end: int | None, shadow: bool = False) -> Raised:
    """Up from day `begin` to day `end` after D."""
    last = None if end is None else D + timedelta(end)
    return Raised(account, rule, shadow, D + timedelta(begin), last)


def test_a_shadow_rules_flags_are_news_where_no_live_flag_is_up_meanwhile() -> None:
    found = volumes(
        [
            raised("old", "acme", 0, 10),
            raised("older", "acme", 10, None),
            raised("old", "birch", 0, 4),
            raised("new", "acme", 10, 12, shadow=True),  # one ends and one begins that day
            raised("new", "birch", 5, 9, shadow=True),
            raised("new", "cedar", 0, None, shadow=True),
            raised("newer", "cedar", 0, None, shadow=True),
        ]
    )
    assert [(one.rule, one.shadow) for one in found] == [
        ("old", False),
        ("older", False),
        ("new", True),
        ("newer", True),
    ]
    assert found[2] == Volume("new", True, 3, 3, 1, 2, (("old", 1), ("older", 1)))
    assert (found[3].alone, found[3].beside) == (1, ())


def test_a_rule_is_not_beside_itself_from_before_it_went_into_shadow() -> None:
    live, shadow = volumes([raised("r", "acme", 0, 5), raised("r", "acme", 5, None, shadow=True)])
    assert (live.alone, shadow.alone) == (1, 1)
    assert (live.up, shadow.up) == (0, 1)


def test_flags_that_open_and_resolve_many_times_count_each_time() -> None:
    (one,) = volumes([raised("r", "acme", n, n + 1) for n in range(0, 10, 2)])
    assert (one.flags, one.accounts, one.up) == (5, 1, 0)
