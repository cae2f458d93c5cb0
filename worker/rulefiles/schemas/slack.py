"""slack.yaml: who is told what, and when."""

from worker.core.rules import Severity
from worker.rulefiles.schemas.rules import RULE_KEYS
from worker.rulefiles.schemas.shared import NAMES, Schema
from worker.rulefiles.telling import (
    LONGEST_ESCALATION,
    MOST_MESSAGES,
    MOST_ROUTES,
    NEVER,
    NONE,
    WEEKDAYS,
)

_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d"
_SEVERITIES = [*Severity, NONE]
_MESSAGES: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_MESSAGES}

SLACK: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "timezone": {
            "type": ["string", "null"],
            "examples": ["UTC", "Europe/Berlin", "America/New_York"],
            "description": "The time zone of people who have none of their own.",
        },
        "quiet_hours": {
            "type": ["string", "null"],
            "pattern": rf"^\s*({NONE}|{_CLOCK}\s+to\s+{_CLOCK})\s*$",
            "examples": [NONE, "18:00 to 08:00"],
            "description": "When nobody is told anything, by the recipient's own clock.",
        },
        "quiet_days": {
            "type": ["string", "array", "null"],
            "items": {"enum": list(WEEKDAYS)},
            "examples": [NONE, ["saturday", "sunday"]],
            "description": "Days on which nobody is told anything.",
        },
        "let_through": {
            "enum": [*_SEVERITIES, None],
            "description": "The severity from which neither quiet time nor budget holds an alert.",
        },
        "digest": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "description": "One message a day, instead of many.",
            "properties": {
                "at": {
                    "type": ["string", "null"],
                    "pattern": rf"^\s*{_CLOCK}\s*$",
                    "examples": ["08:00"],
                    "description": "When it leaves, by the recipient's own clock.",
                },
                "up_to": {
                    "enum": [*_SEVERITIES, None],
                    "description": "The severity up to which flags wait for it.",
                },
                "many": {
                    **_MESSAGES,
                    "description": "More new flags than that from one sweep come as one digest.",
                },
            },
        },
        "budget": {**_MESSAGES, "description": "Messages a person and day, before the digest."},
        "escalate_after": {
            "type": ["string", "null"],
            "pattern": rf"^\s*({NEVER}|.*\d ?days?)\s*$",
            "examples": [NEVER, "3 days"],
            "description": "Days without an answer after which the owner's manager is told, at "
            f"most {LONGEST_ESCALATION}.",
        },
        "weekly": {
            "enum": [*WEEKDAYS, NONE, None],
            "description": "When managers get a summary of their week.",
        },
        "admins": {**NAMES, "description": "Ids of reps who may act on every account's flags."},
        "routes": {
            "type": ["array", "null"],
            "maxItems": MOST_ROUTES,
            "description": "Who is told of which flags: the first that fits.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["notify"],
                "anyOf": [{"required": ["segment"]}, {"required": ["tag"]}],
                "properties": {
                    "segment": {**NAMES, "description": "Of accounts of these segments."},
                    "tag": {**NAMES, "description": "Of rules with one of these tags."},
                    "notify": RULE_KEYS["notify"],
                },
            },
        },
    },
}
