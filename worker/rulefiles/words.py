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

_OTHERS = {
    "over": "above, beyond, bigger than, exceeds, greater than, higher than, larger than, "
    "longer than, older than",
    "under": "below, lower than, shorter than, smaller than, younger than",
    "at most": "fewer than or equal to, less than or equal to, max, maximum, no later than, "
    "no longer than, no more than, not more than, not over, under or equal to, up to",
    "at least": "greater than or equal to, min, minimum, more than or equal to, no fewer than, "
    "no less than, not fewer than, not less than, not under, over or equal to",
    "between": "from, in between",
    "is": "are, equal, equal to, equals, exactly",
    "is not": "isn't, not, not equal to, other than",
    "one of": "any of, in",
    "known": "exists, not unknown, present, set",
    "unknown": "empty, missing, none, not known, not set, null",
    ">=": "=>",
    "<=": "=<",
    "!=": "<>",
}
MEANT = {other: words for words, others in _OTHERS.items() for other in others.split(", ")}
"""What people write for a comparison, with the name that it has here."""

OTHER_START = re.compile(
    "|".join(
        re.escape(other) + ("(?= |$)" if other[-1].isalpha() else "")
        for other in sorted(MEANT, key=len, reverse=True)
    )
)
"""How a comparison by one of those other names starts."""
