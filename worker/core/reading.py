"""What is to be read of accounts' stats: the parts that the facts in question are computed from."""

from typing import NamedTuple

from worker.core.catalogue import Part


class Reading(NamedTuple):
    """The parts of the catalogue to read, and the admins' own facts, by name; None is all."""

    parts: frozenset[Part]
    own: frozenset[str] | None = frozenset()


EVERYTHING = Reading(frozenset(Part), None)
"""For whoever looks at an account, rather than at a rule."""

BASE = Reading(frozenset({Part.BASE}))
"""What every evaluation reads."""
