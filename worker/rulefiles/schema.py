"""Rule files as a JSON Schema, for editors: they complete what can stand where and mark mistakes.

It never marks what `check` accepts, and cannot know all that `check` does: whether a threshold or
condition of that name exists, above all. Given the facts of a metrics.yaml it knows these and no
others; without any, what has a space in its name may be one, since no fact of the catalogue has.
Draft 7, which the YAML language server knows best.
"""

from collections.abc import Collection

from worker.core.catalogue import Fact
from worker.rulefiles.included import SHIPPED
from worker.rulefiles.rules import KEYS, REQUIRED
from worker.rulefiles.schemas.conditions import condition
from worker.rulefiles.schemas.health import health
from worker.rulefiles.schemas.rules import RULE_KEYS
from worker.rulefiles.schemas.shared import CONDITION, WORD, Schema
from worker.rulefiles.schemas.slack import SLACK
from worker.rulefiles.schemas.sources import SOURCES
from worker.rulefiles.schemas.ties import TIES
from worker.rulefiles.schemas.webhooks import WEBHOOKS


def schema(own: Collection[Fact] = ()) -> Schema:
    """The JSON Schema of a rule file; those of other files are in its `#/definitions`.

    `own` are the facts of the metrics.yaml beside it.
    """
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tiewatch rules",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "include": {
                "enum": [SHIPPED],
                "description": "Reads the rules that come with tiewatch beside these files.",
            },
            "thresholds": {
                "type": ["object", "null"],
                "description": "Numbers with a name, by segment, for all rules of all files.",
                "additionalProperties": {
                    "type": ["string", "number", "object"],
                    "minProperties": 1,
                    "additionalProperties": WORD,
                },
            },
            "conditions": {
                "type": ["object", "null"],
                "description": "Conditions with a name, for all rules of all files.",
                "additionalProperties": CONDITION,
            },
            "rules": {
                "type": ["array", "null"],
                "description": "When a customer relationship needs someone's attention.",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": list(REQUIRED),
                    "properties": {key: RULE_KEYS[key] for key in KEYS},
                },
            },
        },
        "definitions": {
            "condition": condition(own),
            "ties": TIES,
            "slack": SLACK,
            "sources": SOURCES,
            "health": health(own),
            "webhooks": WEBHOOKS,
        },
    }
