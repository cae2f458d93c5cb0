"""What several parts of the schema say in the same way."""

from typing import Any

Schema = dict[str, Any]
"""A schema, or a part of one."""

WORD: Schema = {"type": ["string", "number"]}

DAYS: Schema = {
    "type": "string",
    "pattern": r"\d ?days?\s*$",
    "patternErrorMessage": "Whole days: write it like '2 days'",
    "examples": ["1 day", "2 days"],
}

NAMES: Schema = {"type": ["string", "number", "array"], "items": WORD}

CONDITION: Schema = {"$ref": "#/definitions/condition"}
"""A condition, as `conditions` describes it."""


def one_or_more(words: list[str]) -> Schema:
    """One of these words, or a list of them."""
    word: Schema = {"enum": words}
    return {"anyOf": [word, {"type": "array", "items": word}]}
