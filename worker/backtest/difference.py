"""What an edit of the rules would have changed: two replays of the same days, flag by flag."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from worker.backtest.figures import by_rule
from worker.backtest.replay import Raised, Replay


class Changed(NamedTuple):
    """One flag, before the edit and after it."""

    old: Raised
    new: Raised


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of the flags of one rule, each in order of account and opening.

    `moved` are those that open on another day, `ended` those that open on the same day and resolve
    on another. `kept` is the number of those that are the same.
    """

    rule: str
    gained: tuple[Raised, ...]
    lost: tuple[Raised, ...]
    moved: tuple[Changed, ...]
    ended: tuple[Changed, ...]
    kept: int


def differences(old: Replay, new: Replay) -> list[Difference]:
    """For every rule of either, in order of id: the flags up at some time of the period."""
    before, after = by_rule(old.up()), by_rule(new.up())
    ids = {rule.id for replay in (old, new) for rule in replay.rules.rules}
    return [_difference(id_, before[id_], after[id_]) for id_ in sorted(ids)]


def _difference(rule: str, old: Sequence[Raised], new: Sequence[Raised]) -> Difference:
    pairs = _pairs(old, new)
    moved = [pair for pair in pairs if pair.old.opened_on != pair.new.opened_on]
    same = [pair for pair in pairs if pair.old.opened_on == pair.new.opened_on]
    ended = [pair for pair in same if pair.old.resolved_on != pair.new.resolved_on]
    return Difference(
        rule=rule,
        gained=_without(new, [pair.new for pair in pairs]),
        lost=_without(old, [pair.old for pair in pairs]),
        moved=tuple(moved),
        ended=tuple(ended),
        kept=len(same) - len(ended),
    )


def _without(flags: Iterable[Raised], paired: Iterable[Raised]) -> tuple[Raised, ...]:
    known = set(paired)
    return tuple(flag for flag in flags if flag not in known)


def _pairs(old: Sequence[Raised], new: Sequence[Raised]) -> list[Changed]:
    """The flags that tell of the same: on one account, and up at one time.

    Of several the first of each belong together; so those that open on one day always do.
    """
    after = {account: list(flags) for account, flags in _by_account(new)}
    pairs = []
    for account, flags in _by_account(old):
        candidates = after.get(account, [])
        for flag in flags:
            together = next((one for one in candidates if _overlap(flag, one)), None)
            if together is not None:
                candidates.remove(together)
                pairs.append(Changed(flag, together))
    return pairs


def _by_account(flags: Sequence[Raised]) -> Iterable[tuple[str, Iterable[Raised]]]:
    return groupby(flags, key=lambda flag: flag.account)


def _overlap(one: Raised, other: Raised) -> bool:
    """Whether there was a day at whose end both were up."""
    return (one.resolved_on is None or other.opened_on < one.resolved_on) and (
        other.resolved_on is None or one.opened_on < other.resolved_on
    )
