"""What stands beside a fact: `over 15 days`, `between 0 days and 90 days`, `[trial, churned]`."""

import re
from collections.abc import Sequence

from worker.core.catalogue import Fact
from worker.core.conditions import Compare, Comparison
from worker.core.units import Unit
from worker.rulefiles.nodes import List, Node, Text
from worker.rulefiles.operands import operand, ordered
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.quantities import MEANS, quantity
from worker.rulefiles.shapes import complain
from worker.rulefiles.thresholds import Scope
from worker.rulefiles.words import MEANT, OTHER_START, PRESENCE, START, SYMBOLS, WORDS

_FOR_TEXT = (Comparison.IS, Comparison.IS_NOT)
_CLOSE = 0.8
_TWO_COMPARISONS = re.compile(r" (and|or) ")

_LONGEST = 300
_WORDS_THEN_NUMBER = re.compile(r"([^\W\d]+(?: [^\W\d]+)*) ?[-+−$€£¥]?\d.*")
_TWO_NUMBERS = re.compile(r"(\d\S*(?: days?)?) ?(?:to|\.\.\.?|-|–) ?(\d.*)")


def compare(fact: Fact, node: Node, scope: Scope) -> Compare | None:
    """The comparison of a fact with what stands beside it; None if that is wrong."""
    if isinstance(node, List):
        return _compare_list(fact, node, scope)
    if not isinstance(node, Text):
        complain(node, f"compare {fact.name} in one text: {quoted(example(fact))}", scope.findings)
        return None
    text = " ".join(node.text.split())
    if node.folded:
        scope.findings.add(node.at, "quote a comparison that starts with > or |, such as '> 70%'")
    elif not text:
        message = f"there is nothing to compare {fact.name} with: write {quoted(example(fact))}"
        scope.findings.add(node.at, message)
    elif len(text) > _LONGEST:
        scope.findings.add(node.at, f"a comparison of more than {_LONGEST} characters")
    elif text in PRESENCE:
        return Compare(fact.name, PRESENCE[text], (), scope.own.get(fact.name))
    else:
        return _compare_text(fact, text, node.at, scope)
    return None


def _compare_list(fact: Fact, node: List, scope: Scope) -> Compare | None:
    if not node.items:
        scope.findings.add(node.at, f"the list of what {fact.name} can be is empty")
        return None
    texts = []
    for item in node.items:
        if isinstance(item, Text):
            texts.append((" ".join(item.text.split()), item.at))
        else:
            complain(item, "an item of this list must be a plain text", scope.findings)
            return None
    return _with_operands(fact, Comparison.IS, texts, scope)


def _compare_text(fact: Fact, text: str, at: Place, scope: Scope) -> Compare | None:
    start = START.match(text)
    if not fact.in_words and (wrong := _misspelt(text, start and start[0], scope)):
        scope.findings.add(at, wrong)
        return None
    if start is None:
        return _with_operands(fact, Comparison.IS, [(text, at)], scope)
    words, rest = start[0], text[start.end() :].strip()
    comparison = WORDS.get(words) or SYMBOLS[words]
    parts = [rest]
    if words == "one of":
        parts = re.split(r" or |,(?: or )?", rest.removeprefix("[").removesuffix("]"))
    elif words == "between":
        parts = rest.split(" and ")
    if wrong := _misused(fact, words, comparison, parts, scope):
        scope.findings.add(at, wrong)
        return None
    return _with_operands(fact, comparison, [(part.strip(), at) for part in parts], scope)


def _misused(
    fact: Fact, words: str, comparison: Comparison, parts: Sequence[str], scope: Scope
) -> str | None:
    """What is wrong with a comparison, whatever its operands are worth."""
    if fact.in_words and comparison not in _FOR_TEXT:
        others = "'is', 'is not', 'one of', 'known' or 'unknown'"
        return f"{fact.name} is {MEANS[fact.unit]}: compare it with {others}, not {quoted(words)}"
    if words == "between" and len(parts) != 2:
        return "'between' takes two ends: 'between 0 days and 90 days'"
    if not fact.in_words and comparison in _FOR_TEXT and START.match(parts[0]):
        return f"one comparison at a time: write {quoted(parts[0])}, without {quoted(words)}"
    two = any(_TWO_COMPARISONS.search(part) for part in parts if part not in scope.thresholds)
    if not fact.in_words and two:
        return "one comparison at a time: two go in a list under 'all:' or 'any:'"
    return None


def _with_operands(
    fact: Fact, comparison: Comparison, texts: Sequence[tuple[str, Place]], scope: Scope
) -> Compare | None:
    found = [operand(fact, text, at, scope) for text, at in texts]
    operands = tuple(each for each in found if each is not None)
    if len(operands) < len(texts):
        return None
    at = texts[0][1]
    if comparison is Comparison.BETWEEN and not ordered(fact, operands[0], operands[1], at, scope):
        return None
    return Compare(fact.name, comparison, operands, scope.own.get(fact.name))


def _misspelt(text: str, start: str | None, scope: Scope) -> str | None:
    """What is wrong with the words that start a comparison, if they are not what they should be."""
    if text in scope.thresholds or quantity(text):
        return None
    other = OTHER_START.match(text)
    if other and len(other[0]) > len(start or ""):
        return f"unknown comparison {quoted(other[0])}; did you mean {quoted(MEANT[other[0]])}?"
    if start is not None:
        return None
    if two := _TWO_NUMBERS.fullmatch(text):
        return f"unknown comparison; did you mean {quoted(f'between {two[1]} and {two[2]}')}?"
    if not text[0].isalpha() or (words := _words_before(text, scope)) is None:
        return None
    if words in WORDS:
        meant = f"{words} {text.removeprefix(words)}"
        return f"unknown comparison {quoted(text)}; did you mean {quoted(meant)}?"
    nearest = scope.findings.nearest(words.lower(), list(WORDS), _CLOSE)
    known = f"there is {', '.join(WORDS)}, known, unknown"
    hint = f"did you mean {quoted(nearest)}?" if nearest else known
    return f"unknown comparison {quoted(words)}; {hint}"


def _words_before(text: str, scope: Scope) -> str | None:
    """The words where a comparison should be, if the text is not the name of a threshold."""
    if found := _WORDS_THEN_NUMBER.fullmatch(text):
        return found[1]
    for name in scope.thresholds:
        if text.endswith(f" {name}"):
            return text.removesuffix(name).strip()
    for count in (3, 2, 1):
        start = " ".join(text.split()[:count])
        if scope.findings.nearest(start, WORDS, _CLOSE):
            return start
    is_threshold = not scope.complete or scope.findings.nearest(text, scope.thresholds)
    return None if is_threshold else text


def example(fact: Fact) -> str:
    """A comparison that could stand beside a fact."""
    return {
        Unit.DAYS: "over 15 days",
        Unit.PERCENT: "at least 75%",
        Unit.COUNT: "fewer than 2",
        Unit.NUMBER: "over 2.5",
        Unit.HOURS: "over 24 hours",
        Unit.YES_NO: "is yes",
        Unit.MONEY: "over $10,000",
        Unit.TEXT: "is not smb",
    }[fact.unit]
