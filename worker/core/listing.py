"""The catalogue of facts as documents: `tiewatch facts --list`, and the table in docs/facts.md."""

from collections.abc import Iterable
from typing import Any

from worker.core.catalogue import Fact

BEGIN = "<!-- The catalogue: written by 'tiewatch facts --list --markdown'. -->"
END = "<!-- The end of the catalogue. -->"


def documented(fact: Fact) -> dict[str, Any]:
    """An entry as JSON: all that the catalogue says of a fact."""
    return {
        "name": fact.name,
        "type": fact.type,
        "unit": str(fact.unit),
        "label": fact.label,
        "meaning": fact.meaning,
        "formula": fact.formula or None,
        "events": list(fact.events),
        "unknown_when": fact.unknown_when,
        **({"values": list(fact.values)} if fact.values else {}),
    }


def markdown(facts: Iterable[Fact]) -> str:
    """The catalogue as docs/facts.md has it, from its first mark to its last."""
    rows = [
        f"| `{fact.name}` | {fact.unit} | {_meaning(fact)} | {fact.unknown_when} "
        f"| {', '.join(fact.events)} |"
        for fact in facts
    ]
    head = ["| fact | unit | what it is | unknown when | events |", "|---|---|---|---|---|"]
    return "\n".join([BEGIN, "", *head, *rows, "", END])


def _meaning(fact: Fact) -> str:
    return f"{fact.meaning}. *{fact.formula}*" if fact.formula else fact.meaning
