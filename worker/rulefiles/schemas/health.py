"""health.yaml: what the health score is made of."""

from collections.abc import Collection

from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.core.health import HEALTH_FACTS
from worker.rulefiles.schemas.facts import described, or_own
from worker.rulefiles.schemas.shared import CONDITION, WORD, Schema

_SCALE: Schema = {
    "type": "object",
    "minProperties": 1,
    "properties": {"for": {**CONDITION, "description": "The accounts that these bands are for."}},
    "additionalProperties": {**WORD, "description": "A comparison; the last one is 'otherwise'."},
}
_BANDED: Schema = {"anyOf": [_SCALE, {"type": "array", "items": _SCALE, "minItems": 1}]}


def health(own: Collection[Fact]) -> Schema:
    """The whole file; `own` are the facts of the metrics.yaml beside it."""
    facts = [*(fact for name, fact in FACTS.items() if name not in HEALTH_FACTS), *own]
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "bands": {
                "type": "object",
                "description": "What each band is worth, from 0 to 100.",
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
            },
            "parts": {
                "type": ["object", "null"],
                "description": "The parts of the score.",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["weight", "facts"],
                    "properties": {
                        "weight": {"type": "number", "minimum": 1, "maximum": 1_000},
                        "facts": {
                            "type": "object",
                            "additionalProperties": False,
                            "minProperties": 1,
                            "properties": {
                                fact.name: {"description": described(fact), **_BANDED}
                                for fact in facts
                            },
                            **or_own(_BANDED, own),
                        },
                    },
                },
            },
        },
    }
