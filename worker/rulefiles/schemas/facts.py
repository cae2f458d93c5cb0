"""Facts as keys: those of the catalogue, and the admins' own."""

from collections.abc import Collection

from worker.core.catalogue import Fact
from worker.rulefiles.quantities import MEANS
from worker.rulefiles.schemas.shared import Schema


def or_own(value: Schema, own: Collection[Fact]) -> Schema:
    """What else an object of facts may have where it is not known which own facts there are."""
    return {} if own else {"patternProperties": {_OWN_NAME: value}}


_OWN_NAME = r"\S\s+\S"


def described(fact: Fact) -> str:
    """What a fact is, and its unit, in a sentence."""
    return f"{fact.meaning[0].upper()}{fact.meaning[1:]} ({MEANS[fact.unit]})."
