"""webhooks.yaml: the other systems that are told."""

from worker.core.facts import FACTS
from worker.core.rules import LONGEST_LINK, Severity
from worker.core.webhooks import Transition
from worker.rulefiles.schemas.shared import NAMES, Schema, one_or_more
from worker.rulefiles.webhooks import ALL

WEBHOOKS: Schema = {
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
                    "segment": {**NAMES, "description": "Only accounts of these segments."},
                    "flags": {
                        "description": f"{ALL}, or those that all of this fits.",
                        "anyOf": [
                            {"enum": [ALL]},
                            {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "severity": one_or_more(list(Severity)),
                                    "rule": {**NAMES, "description": "Ids of rules."},
                                    "transition": one_or_more(list(Transition)),
                                },
                            },
                        ],
                    },
                    "facts": {
                        **NAMES,
                        "description": "The facts that are told whenever they change.",
                        "examples": list(FACTS),
                    },
                },
            },
        },
    },
}
