"""ties.yaml: how ties fade, and when they are strong."""

from worker.rulefiles.schemas.shared import DAYS, Schema
from worker.rulefiles.ties import TIERS

TIES: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "half_life": {**DAYS, "description": "After this long without contact, half is left."},
        "tiers": {
            "type": "object",
            "additionalProperties": False,
            "description": "The score from which each tier begins, above 0 and below 100.",
            "properties": {
                tier: {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100}
                for tier in TIERS
            },
        },
    },
}
