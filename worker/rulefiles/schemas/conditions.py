"""Conditions: facts with comparisons, lists of conditions, and names of conditions."""

from collections.abc import Collection

from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.rulefiles.comparisons import example
from worker.rulefiles.conditions import CONNECTIVES
from worker.rulefiles.schemas.facts import described, or_own
from worker.rulefiles.schemas.shared import CONDITION, Schema
from worker.rulefiles.words import PRESENCE, SYMBOLS, WORDS


def condition(own: Collection[Fact]) -> Schema:
    """Facts with comparisons, a list of conditions, or the name of one.

    One schema for all three: where alternatives fail, editors blame the wrong one.
    """
    return {
        "type": ["object", "array", "string"],
        "minLength": 1,
        "minItems": 1,
        "items": CONDITION,
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            **{fact.name: _comparison(fact) for fact in (*FACTS.values(), *own)},
            **{
                name: {**CONDITION, "description": _CONNECTIVE_MEANINGS[name]}
                for name in CONNECTIVES
            },
        },
        **or_own(_OF_OWN, own),
    }


_CONNECTIVE_MEANINGS = {
    "all": "All of these must hold.",
    "any": "At least one of these must hold.",
    "not": "These must not all hold.",
}

_NUMBER = ["string", "number"]
_NUMBERS: Schema = {"type": "array", "minItems": 1, "items": {"type": _NUMBER}}
_OF_OWN: Schema = {"anyOf": [{"type": _NUMBER, "minLength": 1}, _NUMBERS]}
"""What can stand beside an admin's own fact, which is a number."""


def _comparison(fact: Fact) -> Schema:
    """What can stand beside a fact: a comparison, or a list of what it can be."""
    free = [*_NUMBER, "boolean"] if fact.in_words else _NUMBER
    text: Schema = {"type": free, "minLength": 1, "examples": [example(fact)]}
    items: Schema = {"type": free}
    if fact.values:
        starts = "|".join([*WORDS, *PRESENCE, *SYMBOLS])
        text |= {
            "type": "string",
            "examples": list(fact.values),
            "pattern": rf"^\s*({starts}|({'|'.join(fact.values)})\s*$)",
            "patternErrorMessage": f"{fact.name} is {', '.join(fact.values)}",
        }
        items = {"enum": list(fact.values)}
    return {
        "description": described(fact),
        "anyOf": [text, {"type": "array", "minItems": 1, "items": items}],
    }
