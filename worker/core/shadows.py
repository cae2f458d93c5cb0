"""How rules in shadow compare with live ones: how much they raise, and how much of it is news."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Raised(NamedTuple):
    """A flag that was up from `opened_on` until `resolved_on`, or still is if that is None."""

    account: str
    rule: str
    shadow: bool
    opened_on: date
    resolved_on: date | None

    def meets(self, other: "Raised") -> bool:
        """Whether both were up on the account at the same time, be it for a day."""
        return (
            self.account == other.account
            and (other.resolved_on is None or self.opened_on <= other.resolved_on)
            and (self.resolved_on is None or other.opened_on <= self.resolved_on)
        )


@dataclass(frozen=True, slots=True)
class Volume:
    """What a rule raised, in shadow or live.

    `alone` are the flags while which no live flag of another rule was up on the account; `beside`
    counts the flags that met one, by the live rule, the most frequent first.
    """

    rule: str
    shadow: bool
    flags: int
    accounts: int
    up: int
    alone: int
    beside: tuple[tuple[str, int], ...]


def volumes(raised: Iterable[Raised], rules: Iterable[tuple[bool, str]] = ()) -> list[Volume]:
    """What each rule raised beside the live rules; live rules first, then by id.

    `rules`, by whether they are in shadow and by id, are named also if they raised nothing.
    """
    by_rule: dict[tuple[bool, str], list[Raised]] = {rule: [] for rule in rules}
    live: dict[str, list[Raised]] = defaultdict(list)
    for flag in raised:
        by_rule.setdefault((flag.shadow, flag.rule), []).append(flag)
        if not flag.shadow:
            live[flag.account].append(flag)
    found = []
    for (shadow, rule), flags in sorted(by_rule.items()):
        met = [
            {each.rule for each in live[flag.account] if each.rule != rule and flag.meets(each)}
            for flag in flags
        ]
        beside = Counter(other for rules in met for other in sorted(rules))
        found.append(
            Volume(
                rule,
                shadow,
                len(flags),
                len({flag.account for flag in flags}),
                sum(flag.resolved_on is None for flag in flags),
                sum(not rules for rules in met),
                tuple(sorted(beside.items(), key=lambda pair: (-pair[1], pair[0]))),
            )
        )
    return found
