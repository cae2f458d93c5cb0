"""Backtests in tables of words, for the terminal and the page alike."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from worker.backtest.difference import Difference
from worker.backtest.figures import Figures
from worker.backtest.outcomes import Outcomes
from worker.backtest.replay import Raised
from worker.core.rules import Mode, Rule
from worker.pages import Sheet

NOTHING = "-"
"""For a figure that there is not, such as the median of no flags."""


def figures_sheet(found: Sequence[Figures]) -> Sheet:
    """A row for each rule: how much, for how long, how steadily."""
    columns = (
        *("rule", "flags", "accounts", "a week", "days open", "longest", "open at start"),
        *("open at end", "flapping", "unknown"),
    )
    rows = [
        (
            name_of(one.rule),
            f"{one.flags:,}",
            f"{one.accounts:,}",
            f"{one.flags / len(one.by_week):.1f}",
            _or_nothing(one.median_days_open, "g"),
            _or_nothing(one.longest_days_open, ","),
            f"{one.open_at_start:,}",
            f"{one.open_at_end:,}",
            f"{len(one.flapping):,}",
            _or_nothing(one.unknown_share, ".0%"),
        )
        for one in found
    ]
    return Sheet(columns, rows)


def reps_sheet(found: Sequence[Figures]) -> Sheet:
    """A row for each rep: how many flags opened on their accounts, and of which rules."""
    by_rep: dict[str | None, list[tuple[int, str]]] = defaultdict(list)
    for one in found:
        for rep, number in one.by_rep:
            by_rep[rep].append((number, one.rule.id))
    rows = []
    for rep in sorted(by_rep, key=lambda rep: (rep is None, rep or "")):
        most_first = sorted(by_rep[rep], key=lambda counted: (-counted[0], counted[1]))
        total = sum(number for number, _ in most_first)
        told = ", ".join(f"{number:,} {rule}" for number, rule in most_first)
        rows.append(("nobody" if rep is None else rep, f"{total:,}", told))
    return Sheet(("rep", "flags", "of these rules"), rows)


def outcomes_sheet(found: Sequence[Figures], known: Outcomes) -> Sheet:
    """A row for each rule: what its flags were worth."""
    columns = (
        *("rule", "came true", "precision", "by chance", "lift", "caught", "recall"),
        *("days ahead", "not judged"),
    )
    rows = []
    for one in found:
        score = known.scores[one.rule.id]
        rows.append(
            (
                name_of(one.rule),
                f"{score.hits:,} of {score.flagged:,}",
                _or_nothing(score.precision, ".1%"),
                _or_nothing(score.chance, ".1%"),
                _or_nothing(score.lift, ".2f"),
                f"{score.caught:,} of {score.churned:,}",
                _or_nothing(score.recall, ".1%"),
                _or_nothing(score.median_lead_days, "g"),
                f"{score.not_judged:,}",
            )
        )
    return Sheet(columns, rows)


def differences_sheet(found: Sequence[Difference]) -> Sheet:
    """A row for each rule: how many of its flags an edit changes, and how."""
    rows = []
    for one in found:
        numbers = (len(one.gained), len(one.lost), len(one.moved), len(one.ended), one.kept)
        rows.append((one.rule, *(f"{number:,}" for number in numbers)))
    return Sheet(("rule", "gained", "lost", "moved", "ended otherwise", "the same"), rows)


def changes_sheet(found: Sequence[Difference]) -> Sheet:
    """A row for each flag that an edit changes."""
    rows = [row for one in found for row in _changes(one)]
    return Sheet(("rule", "account", "change", "before", "after"), rows)


def _changes(one: Difference) -> Iterator[tuple[str, ...]]:
    for flag in one.gained:
        yield one.rule, flag.account, "gained", NOTHING, _span(flag)
    for flag in one.lost:
        yield one.rule, flag.account, "lost", _span(flag), NOTHING
    for change, pairs in (("moved", one.moved), ("ended otherwise", one.ended)):
        for old, new in pairs:
            yield one.rule, new.account, change, _span(old), _span(new)


def _span(flag: Raised) -> str:
    if flag.resolved_on is None:
        return f"from {flag.opened_on}"
    return f"{flag.opened_on} to {flag.resolved_on}"


def name_of(rule: Rule) -> str:
    """The rule's id, with a word beside it if nobody is told of its flags."""
    return f"{rule.id} (shadow)" if rule.mode is Mode.SHADOW else rule.id


def _or_nothing(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)
