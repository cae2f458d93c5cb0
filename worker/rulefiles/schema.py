"""Rule files as a JSON Schema, for editors: they complete what can stand where and mark mistakes.

It never marks what `check` accepts, and cannot know all that `check` does: whether a threshold or
condition of that name exists, above all. Draft 7, which the YAML language server knows best.
"""

from typing import Any

from worker.core.events import TYPES
from worker.core.facts import FACTS, Fact
from worker.core.health import HEALTH_FACTS
from worker.core.rules import LONGEST_LINK, Kind, Severity
from worker.core.webhooks import Transition
from worker.rulefiles.comparisons import example
from worker.rulefiles.conditions import CONNECTIVES
from worker.rulefiles.included import SHIPPED
from worker.rulefiles.quantities import MEANS
from worker.rulefiles.rules import KEYS, LONGEST_TITLE, REQUIRED
from worker.rulefiles.sources import LONGEST_GAP
from worker.rulefiles.telling import (
    LONGEST_ESCALATION,
    MOST_MESSAGES,
    MOST_ROUTES,
    NEVER,
    NONE,
    WEEKDAYS,
)
from worker.rulefiles.ties import TIERS
from worker.rulefiles.values import LONGEST_HOLD, MODES, OFF
from worker.rulefiles.webhooks import ALL
from worker.rulefiles.words import PRESENCE, SYMBOLS, WORDS

Schema = dict[str, Any]

_WORD: Schema = {"type": ["string", "number"]}
_DAYS: Schema = {
    "type": "string",
    "pattern": r"\d ?days?\s*$",
    "patternErrorMessage": "Whole days: write it like '2 days'",
    "examples": ["1 day", "2 days"],
}
_CONDITION: Schema = {"$ref": "#/definitions/condition"}

_RULE_KEYS: dict[str, Schema] = {
    "id": {
        **_WORD,
        "description": "Its name for good, unique among all files: letters, digits, '-', '_', '.'.",
    },
    "title": {
        **_WORD,
        "maxLength": LONGEST_TITLE,
        "description": "The first line of the alert. {fact} and {threshold} are filled in.",
    },
    "severity": {"enum": list(Severity), "description": "How much it matters."},
    "when": {**_CONDITION, "description": "What must hold: all that stands here."},
    "advice": {**_WORD, "description": "What the rep should do about it."},
    "playbook": {
        "type": "string",
        "pattern": r"^\s*https?://",
        "maxLength": LONGEST_LINK,
        "description": "A link to the page that says how.",
    },
    "hold_for": {
        **_DAYS,
        "description": f"Days that it must hold before the flag opens, at most {LONGEST_HOLD}.",
    },
    "keep_open_for": {
        **_DAYS,
        "description": "Days that it must not hold before the flag resolves, "
        f"at most {LONGEST_HOLD}.",
    },
    "except_when": {**_CONDITION, "description": "Takes the account out while it holds."},
    "tags": {
        "type": ["string", "number", "array"],
        "items": _WORD,
        "description": "Words of your own to group rules by.",
    },
    "kind": {
        "enum": list(Kind),
        "description": "risk: the customer may go (the default). growth: it may buy more; its "
        "flags put nobody at risk.",
    },
    "mode": {
        "enum": list(MODES),
        "description": "live if not given; shadow evaluates and keeps flags that nobody is alerted "
        f"about; {OFF} does nothing.",
    },
    "notify": {
        "type": ["string", "array"],
        "items": {"type": "string"},
        "examples": ["owner", "owner's manager", "rep sam"],
        "description": "owner, owner's manager, a quoted #channel, a rep's id after 'rep ', "
        "or a list of them.",
    },
    "remind_every": {**_DAYS, "description": f"1 to {LONGEST_HOLD} days."},
    "override": {
        "type": "boolean",
        "description": "true in a rule that takes the place of the other with its id.",
    },
}

_TIES: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "half_life": {**_DAYS, "description": "After this long without contact, half is left."},
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

_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d"
_SEVERITIES = [*Severity, NONE]
_NAMES: Schema = {"type": ["string", "number", "array"], "items": _WORD}
_MESSAGES: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_MESSAGES}

_SLACK: Schema = {
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
        "admins": {**_NAMES, "description": "Ids of reps who may act on every account's flags."},
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
                    "segment": {**_NAMES, "description": "Of accounts of these segments."},
                    "tag": {**_NAMES, "description": "Of rules with one of these tags."},
                    "notify": _RULE_KEYS["notify"],
                },
            },
        },
    },
}
_GAP: Schema = {**_DAYS, "description": f"Its longest normal silence, 1 to {LONGEST_GAP} days."}
_EVENT_TYPE: Schema = {"enum": list(TYPES)}
_SOURCES: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "sources": {
            "type": ["object", "null"],
            "description": "The sources of events that matter, by name.",
            "additionalProperties": {
                "type": ["string", "object"],
                "pattern": _DAYS["pattern"],
                "additionalProperties": False,
                "required": ["gap"],
                "properties": {
                    "gap": _GAP,
                    "events": {
                        "description": "The types of events that it is judged by.",
                        "anyOf": [_EVENT_TYPE, {"type": "array", "items": _EVENT_TYPE}],
                    },
                },
            },
        },
    },
}


def _one_or_more(words: list[str]) -> Schema:
    """One of these words, or a list of them."""
    word: Schema = {"enum": words}
    return {"anyOf": [word, {"type": "array", "items": word}]}


_WEBHOOKS: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "webhooks": {
            "type": ["object", "null"],
            "description": "The other systems that are told, by name: a-z, 0-9 and -.",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["url"],
                "anyOf": [{"required": ["flags"]}, {"required": ["facts"]}],
                "properties": {
                    "url": {
                        "type": "string",
                        "pattern": r"^\s*https?://",
                        "maxLength": LONGEST_LINK,
                        "description": "Where it is sent. https, but on this machine.",
                    },
                    "allow_http": {
                        "type": "boolean",
                        "description": "true where http is meant: anyone on the way can read it.",
                    },
                    "segment": {**_NAMES, "description": "Only accounts of these segments."},
                    "flags": {
                        "description": f"{ALL}, or those that all of this fits.",
                        "anyOf": [
                            {"enum": [ALL]},
                            {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "severity": _one_or_more(list(Severity)),
                                    "rule": {**_NAMES, "description": "Ids of rules."},
                                    "transition": _one_or_more(list(Transition)),
                                },
                            },
                        ],
                    },
                    "facts": {
                        **_NAMES,
                        "description": "The facts that are told whenever they change.",
                        "examples": list(FACTS),
                    },
                },
            },
        },
    },
}

_SCALE: Schema = {
    "type": "object",
    "minProperties": 1,
    "properties": {"for": {**_CONDITION, "description": "The accounts that these bands are for."}},
    "additionalProperties": {**_WORD, "description": "A comparison; the last one is 'otherwise'."},
}


def _health() -> Schema:
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
                                name: {
                                    "description": _described(fact),
                                    "anyOf": [
                                        _SCALE,
                                        {"type": "array", "items": _SCALE, "minItems": 1},
                                    ],
                                }
                                for name, fact in FACTS.items()
                                if name not in HEALTH_FACTS
                            },
                        },
                    },
                },
            },
        },
    }


_CONNECTIVE_MEANINGS = {
    "all": "All of these must hold.",
    "any": "At least one of these must hold.",
    "not": "These must not all hold.",
}


def schema() -> Schema:
    """The JSON Schema of a rule file; those of other files are in its `#/definitions`."""
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
                    "additionalProperties": _WORD,
                },
            },
            "conditions": {
                "type": ["object", "null"],
                "description": "Conditions with a name, for all rules of all files.",
                "additionalProperties": _CONDITION,
            },
            "rules": {
                "type": ["array", "null"],
                "description": "When a customer relationship needs someone's attention.",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": list(REQUIRED),
                    "properties": {key: _RULE_KEYS[key] for key in KEYS},
                },
            },
        },
        "definitions": {
            "condition": _condition(),
            "ties": _TIES,
            "slack": _SLACK,
            "sources": _SOURCES,
            "health": _health(),
            "webhooks": _WEBHOOKS,
        },
    }


def _condition() -> Schema:
    """Facts with comparisons, a list of conditions, or the name of one.

    One schema for all three: where alternatives fail, editors blame the wrong one.
    """
    return {
        "type": ["object", "array", "string"],
        "minLength": 1,
        "minItems": 1,
        "items": _CONDITION,
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            **{name: _comparison(fact) for name, fact in FACTS.items()},
            **{
                name: {**_CONDITION, "description": _CONNECTIVE_MEANINGS[name]}
                for name in CONNECTIVES
            },
        },
    }


def _comparison(fact: Fact) -> Schema:
    """What can stand beside a fact: a comparison, or a list of what it can be."""
    free = ["string", "number", "boolean"] if fact.in_words else ["string", "number"]
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
        "description": _described(fact),
        "anyOf": [text, {"type": "array", "minItems": 1, "items": items}],
    }


def _described(fact: Fact) -> str:
    return f"{fact.meaning[0].upper()}{fact.meaning[1:]} ({MEANS[fact.unit]})."
