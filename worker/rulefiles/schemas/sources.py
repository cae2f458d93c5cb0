"""sources.yaml: the sources of events that matter, and how long they may be silent."""

from worker.core.contents import TYPES
from worker.rulefiles.schemas.shared import DAYS, Schema, one_or_more
from worker.rulefiles.sources import LONGEST_GAP

SOURCES: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "sources": {
            "type": ["object", "null"],
            "description": "The sources of events that matter, by name.",
            "additionalProperties": {
                "type": ["string", "object"],
                "pattern": DAYS["pattern"],
                "additionalProperties": False,
                "required": ["gap"],
                "properties": {
                    "gap": {
                        **DAYS,
                        "description": f"Its longest normal silence, 1 to {LONGEST_GAP} days.",
                    },
                    "events": {
                        "description": "The types of events that it is judged by.",
                        **one_or_more(list(TYPES)),
                    },
                },
            },
        },
    },
}
