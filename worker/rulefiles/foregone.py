"""Conditions that can never be true, or always are: which of their parts make them so."""

from collections import defaultdict
from collections.abc import Sequence

from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Named,
    Not,
    facts_in,
)
from worker.core.foregone import Foregone, foregone, thresholds_in
from worker.core.reasons import fact_of, opposite, with_limits
from worker.core.units import shown
from worker.rulefiles.problems import Place
from worker.rulefiles.thresholds import Scope

Placed = tuple[Condition, Place]

_MOST_TOLD = 5


def note_comparison(compare: Compare, at: Place, scope: Scope) -> bool:
    """Note a comparison that comes out the same whatever its fact is; whether it does."""
    found = _foregone(compare, scope)
    if found is Foregone.NEVER:
        scope.findings.add(at, f"{compare.fact} cannot be {_said(compare)}: {_NEVER}")
    elif found is Foregone.ALWAYS:
        scope.findings.add(at, f"{compare.fact} is {_said(compare)} whatever it is: {_ALWAYS}")
    return found is not None


def note_joined(kind: type[AllOf] | type[AnyOf], parts: Sequence[Placed], scope: Scope) -> bool:
    """Note parts, none of them foregone by itself, that are so together; whether any are.

    Parts on one fact are looked at first: the whole may have too many facts to try.
    """
    on_one_fact: dict[frozenset[str], list[Placed]] = defaultdict(list)
    for part, at in parts:
        on_one_fact[facts_in(part)].append((part, at))
    groups = [group for facts, group in on_one_fact.items() if len(facts) == 1]
    for group in (*groups, parts):
        if len(group) > 1 and _foregone(_whole(kind, group), scope):
            _note_together(kind, _culprits(kind, group, scope), scope)
            return True
    return False


_NEVER = "this can never be true"
_ALWAYS = "this is always true"


def _foregone(condition: Condition, scope: Scope) -> Foregone | None:
    named = {name: scope.thresholds.get(name) for name in thresholds_in(condition)}
    thresholds = {name: threshold for name, threshold in named.items() if threshold}
    if len(thresholds) < len(named):
        return None
    return foregone(condition, thresholds, scope.effort)


def _whole(kind: type[AllOf] | type[AnyOf], parts: Sequence[Placed]) -> Condition:
    return kind(tuple(part for part, _ in parts))


def _culprits(
    kind: type[AllOf] | type[AnyOf], parts: Sequence[Placed], scope: Scope
) -> list[Placed]:
    """The parts without which it would not be so."""
    left = list(parts)
    for part in parts:
        others = [each for each in left if each is not part]
        if len(others) > 1 and _foregone(_whole(kind, others), scope):
            left = others
    return left


def _note_together(kind: type[AllOf] | type[AnyOf], parts: Sequence[Placed], scope: Scope) -> None:
    """Note it at the last of the parts."""
    plain = [opposite(part.part) if isinstance(part, Not) else part for part, _ in parts]
    facts = sorted(frozenset().union(*map(facts_in, plain)))
    said = [_said(part) for part in plain if isinstance(part, Compare)]
    _, at = parts[-1]
    if len(facts) > 1 or len(said) < len(plain) or len(said) > _MOST_TOLD:
        why = _NEVER if kind is AllOf else _ALWAYS
        message = f"{why}, whatever {_listed(facts, 'and')} {'is' if len(facts) == 1 else 'are'}"
    elif kind is AllOf:
        message = f"{facts[0]} cannot be {_listed(said, 'and')} at once: {_NEVER}"
    else:
        message = f"{facts[0]} is {_listed(said, 'or')} whatever it is: {_ALWAYS}"
    scope.findings.add(at, message)


def _listed(texts: Sequence[str], word: str) -> str:
    *others, last = texts
    return f"{', '.join(others)} {word} {last}" if others else last


def _said(compare: Compare) -> str:
    """A comparison as the rule file has it, thresholds by their name."""
    unit = fact_of(compare).unit
    limits = [
        each.name if isinstance(each, Named) else shown(each, unit) for each in compare.operands
    ]
    return with_limits(compare.comparison, limits)
