"""The words of comparisons, as rule files have them."""

import re

from worker.core.conditions import Comparison

WORDS = {
    "at least": Comparison.AT_LEAST,
    "at most": Comparison.AT_MOST,
    "over": Comparison.OVER,
    "more than": Comparison.OVER,
    "under": Comparison.UNDER,
    "fewer than": Comparison.UNDER,
    "less than": Comparison.UNDER,
    "between": Comparison.BETWEEN,
    "is not": Comparison.IS_NOT,
    "is": Comparison.IS,
    "one of": Comparison.IS,
}
"""The comparisons that take something to compare with, by the words that start them."""

SYMBOLS = {
    ">=": Comparison.AT_LEAST,
    "≥": Comparison.AT_LEAST,
    "<=": Comparison.AT_MOST,
    "≤": Comparison.AT_MOST,
    "!=": Comparison.IS_NOT,
    "≠": Comparison.IS_NOT,
    "==": Comparison.IS,
    "=": Comparison.IS,
    ">": Comparison.OVER,
    "<": Comparison.UNDER,
}
"""The same as symbols, those that begin like another before it."""

PRESENCE = {
    "known": Comparison.KNOWN,
    "is known": Comparison.KNOWN,
    "is not unknown": Comparison.KNOWN,
    "unknown": Comparison.UNKNOWN,
    "is unknown": Comparison.UNKNOWN,
    "is not known": Comparison.UNKNOWN,
}
"""The comparisons that are whole by themselves."""

START = re.compile("|".join([*(rf"{word}(?= |$)" for word in WORDS), *map(re.escape, SYMBOLS)]))
"""How a comparison with something starts."""

OTHER_WORDS = {
    "above": "over",
    "greater than": "over",
    "longer than": "over",
    "below": "under",
    "lower than": "under",
    "shorter than": "under",
    "no more than": "at most",
    "up to": "at most",
    "no less than": "at least",
    "no fewer than": "at least",
    "from": "between",
    "equals": "is",
    "equal to": "is",
    "exactly": "is",
    "not": "is not",
    "any of": "one of",
    "in": "one of",
}
"""What people write for a comparison that has another name here."""
