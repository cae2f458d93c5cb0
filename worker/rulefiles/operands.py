"""What a fact is compared with: a number with its unit, a threshold's name, or a text."""

from worker.core.catalogue import Fact
from worker.core.conditions import Named, Operand
from worker.core.units import Unit, shown
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.quantities import MEANS, complaint, quantity
from worker.rulefiles.thresholds import Scope


def operand(fact: Fact, text: str, at: Place, scope: Scope) -> Operand | None:
    """The operand that a text stands for; None if it does not fit the fact."""
    if not text:
        scope.findings.add(at, f"there is nothing to compare {fact.name} with")
        return None
    if fact.unit is Unit.TEXT:
        return _text(fact, text, at, scope)
    if fact.unit is Unit.YES_NO:
        return _yes_or_no(fact, text, at, scope)
    if found := quantity(text):
        if wrong := complaint(fact.name, fact.unit, text):
            scope.findings.add(at, wrong)
            return None
        return found[0]
    return _threshold(fact, text, at, scope)


def ordered(fact: Fact, low: Operand, high: Operand, at: Place, scope: Scope) -> bool:
    """Whether a range has its lower end first, for every segment."""
    segments = {None, *_segments(low, scope), *_segments(high, scope)}
    for segment in sorted(segments, key=str):
        start, end = _value(low, segment, scope), _value(high, segment, scope)
        if start is not None and end is not None and start > end:
            whose = f" for {quoted(segment)}" if segment else ""
            first, last = shown(start, fact.unit), shown(end, fact.unit)
            message = f"this range is reversed{whose}: it goes from {first} to {last}"
            hint = "" if len(segments) > 1 else f"; did you mean 'between {last} and {first}'?"
            scope.findings.add(at, message + hint)
            return False
    return True


def _text(fact: Fact, text: str, at: Place, scope: Scope) -> str | None:
    if text in ("known", "unknown"):
        message = f"'{text}' is not one value among others: compare {fact.name} with it by itself"
        scope.findings.add(at, message)
        return None
    if fact.values and text not in fact.values:
        otherwise = f"; {fact.name} is {', '.join(fact.values)}"
        scope.findings.unknown(at, fact.name, text, fact.values, otherwise)
        return None
    if fact.name == "segment":
        scope.segments.add(text)
    return text


_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}


def _yes_or_no(fact: Fact, text: str, at: Place, scope: Scope) -> bool | None:
    if text not in _YES_OR_NO:
        scope.findings.unknown(at, fact.name, text, ("yes", "no"), f"; {fact.name} is yes or no")
        return None
    return _YES_OR_NO[text]


def _threshold(fact: Fact, text: str, at: Place, scope: Scope) -> Named | None:
    if text not in scope.thresholds:
        if text[0].isalpha() and scope.complete:
            otherwise = ": no 'thresholds:' has it"
            scope.findings.unknown(at, "threshold", text, list(scope.thresholds), otherwise)
        elif not text[0].isalpha():
            scope.findings.add(at, complaint(fact.name, fact.unit, text) or "")
        return None
    scope.used.add(text)
    threshold = scope.thresholds[text]
    a_number = fact.unit is Unit.NUMBER and threshold and threshold.unit is Unit.COUNT
    if threshold is not None and threshold.unit is not fact.unit and not a_number:
        means = f"threshold {quoted(text)} is {MEANS[threshold.unit]}"
        scope.findings.add(at, f"{means}, but {fact.name} is {MEANS[fact.unit]}")
        return None
    return Named(text)


def _segments(end: Operand, scope: Scope) -> set[str]:
    threshold = scope.thresholds.get(end.name) if isinstance(end, Named) else None
    return set(threshold.by_segment) if threshold else set()


def _value(end: Operand, segment: str | None, scope: Scope) -> float | None:
    if isinstance(end, Named):
        threshold = scope.thresholds.get(end.name)
        return threshold.value_for(segment) if threshold else None
    return None if isinstance(end, str) else end
