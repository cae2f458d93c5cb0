"""One fact of `metrics.yaml`: `{count: usage, where: {feature: report_export}, over: 30 days}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.core.measures import AMOUNTS, FIELDS, Measure, Source, Where
from worker.core.metrics import Ratio, Share
from worker.core.units import Unit
from worker.rulefiles import shapes
from worker.rulefiles.nodes import Node, Text
from worker.rulefiles.problems import Findings, Place, quoted
from worker.rulefiles.thresholds import name_of
from worker.rulefiles.values import days_within


class Kind(StrEnum):
    """How a fact is computed, by the key that says so."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"
    SHARE = "share"
    RATIO = "ratio"


KEYS = (*Kind, "of", "to", "where", "over", "label", "meaning")
LONGEST_WINDOW = 365
_MOST_VALUES = 100
_LONGEST = 200

COUNTED = {
    Source.USAGE: "uses",
    Source.INTERACTION: "interactions",
    Source.TICKET: "tickets",
    Source.SURVEY: "surveys",
}
"""What `count` counts of each source; of usage the counts of its events, added up."""

SUMS = {Source.USAGE: ("minutes",), Source.INTERACTION: ("minutes",)}
DISTINCT = {
    source: tuple(name for name, amount in amounts.items() if len(amount.distinct) == 1)
    for source, amounts in AMOUNTS.items()
}

_CHOICES: Mapping[tuple[Source, str], tuple[str, ...]] = {
    (Source.INTERACTION, "channel"): ("email", "meeting", "call", "chat", "other"),
    (Source.INTERACTION, "direction"): ("inbound", "outbound", "mutual"),
    (Source.TICKET, "defect"): ("true", "false"),
    (Source.SURVEY, "kind"): ("nps", "csat", "perception"),
    (Source.SURVEY, "answer"): (
        *("promoter", "passive", "detractor", "satisfied", "unsatisfied"),
        *("positive", "neutral", "negative"),
    ),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A fact as the file has it; `named` are the facts of a ratio, with their places."""

    kind: Kind
    unit: Unit
    meant: Measure | Share | Ratio
    formula: str
    source: Source | None = None
    named: tuple[tuple[str, Place], ...] = ()
    label: str | None = None
    meaning: str | None = None


def written(name: str, node: Node, findings: Findings) -> Written | None:
    """The fact that a node says; None if that is wrong."""
    before = len(findings)
    what = f"fact {quoted(name)}"
    found = {key: value for key, (_, value) in shapes.fields(node, what, KEYS, findings).items()}
    kinds = [kind for kind in Kind if kind in found]
    if len(kinds) != 1:
        if len(findings) == before:
            message = f"{what} must have one of {', '.join(Kind)}, and only one"
            shapes.complain(node, message, findings)
        return None
    (kind,) = kinds
    if kind is Kind.RATIO:
        one = _ratio(what, node, found, findings)
    else:
        one = _measured(what, kind, node, found, findings)
    return one if len(findings) == before else None


def _words(found: Mapping[str, Node], findings: Findings) -> tuple[str | None, str | None]:
    texts = (
        shapes.text(found[key], quoted(key), _LONGEST, findings) if key in found else None
        for key in ("label", "meaning")
    )
    label, meaning = texts
    return label, meaning


def _ratio(what: str, node: Node, found: Mapping[str, Node], findings: Findings) -> Written | None:
    for key in ("of", "where", "over"):
        if key in found:
            findings.add(found[key].at, f"a ratio is of two facts: it has no {quoted(key)}")
    if "to" not in found:
        findings.add(node.at, f"{what} has no 'to': the fact that it is divided by")
        return None
    ends = [found["ratio"], found["to"]]
    if any(shapes.text(end, "a fact's name", _LONGEST, findings) is None for end in ends):
        return None
    part, whole = (name_of(end) for end in ends if isinstance(end, Text))
    label, meaning = _words(found, findings)
    return Written(
        Kind.RATIO,
        Unit.NUMBER,
        Ratio(part, whole),
        f"{part} / {whole}",
        named=((part, ends[0].at), (whole, ends[1].at)),
        label=label,
        meaning=meaning,
    )


def _measured(
    what: str, kind: Kind, node: Node, found: Mapping[str, Node], findings: Findings
) -> Written | None:
    if "to" in found:
        findings.add(found["to"].at, f"{quoted('to')} goes with 'ratio'")
    source, amount = _subject(what, kind, node, found, findings)
    if source is None or amount is None:
        return None
    if "over" not in found:
        findings.add(node.at, f"{what} has no 'over', such as 30 days")
        return None
    days = days_within(found["over"], "'over'", 1, LONGEST_WINDOW, _LONGEST, findings)
    where = _where(source, found["where"], findings) if "where" in found else ()
    if kind is Kind.SHARE and not where:
        findings.add(node.at, f"{what} has no 'where': a share is of what that leaves")
    label, meaning = _words(found, findings)
    if days is None or where is None:
        return None
    measure = Measure(source, amount, days, where)
    filters = "".join(f", {field} {' or '.join(values)}" for field, values in where)
    formula = f"{amount} of {source} events{filters}, over the {days} complete days before the date"
    units = {Kind.SHARE: Unit.PERCENT, Kind.SUM: Unit.NUMBER}
    return Written(
        kind,
        units.get(kind, Unit.COUNT),
        Share(measure, measure._replace(where=())) if kind is Kind.SHARE else measure,
        f"share of {formula}" if kind is Kind.SHARE else formula,
        source,
        label=label,
        meaning=meaning,
    )


def _subject(
    what: str, kind: Kind, node: Node, found: Mapping[str, Node], findings: Findings
) -> tuple[Source | None, str | None]:
    """The source, and what of it is counted, added up or told apart."""
    first = shapes.text(found[kind], quoted(kind), _LONGEST, findings)
    if first is None:
        return None, None
    if kind is Kind.COUNT or (kind is Kind.SHARE and "of" not in found):
        if "of" in found:
            findings.add(found["of"].at, "'count' says itself what it counts: it has no 'of'")
        source = _source(first, found[kind].at, findings)
        return source, source and COUNTED[source]
    if "of" not in found:
        findings.add(node.at, f"{what} has no 'of': {', '.join(Source)}")
        return None, None
    text = shapes.text(found["of"], "'of'", _LONGEST, findings)
    source = None if text is None else _source(text, found["of"].at, findings)
    if source is None:
        return None, None
    of_kind = {
        Kind.SUM: SUMS.get(source, ()),
        Kind.DISTINCT: DISTINCT[source],
        Kind.SHARE: (COUNTED[source], *SUMS.get(source, ()), *DISTINCT[source]),
    }
    known = of_kind[kind]
    if first not in known:
        otherwise = f"; {kind} of {source} is of {', '.join(known) or 'nothing'}"
        findings.unknown(found[kind].at, quoted(kind), first, known, otherwise)
        return source, None
    return source, first


def _source(text: str, at: Place, findings: Findings) -> Source | None:
    if text not in list(Source):
        findings.unknown(at, "source", text, list(Source), f"; it is {', '.join(Source)}")
        return None
    return Source(text)


def _where(source: Source, node: Node, findings: Findings) -> Where | None:
    """The filters, in order of field; None if one is wrong."""
    found = shapes.fields(node, f"'where' of {source}", tuple(FIELDS[source]), findings)
    filters = []
    for field, (_, value) in sorted(found.items()):
        before, values = len(findings), set()
        for item in shapes.one_or_more(value, quoted(field), _MOST_VALUES, findings):
            text = shapes.text(item, quoted(field), _LONGEST, findings)
            choices = _CHOICES.get((source, field), ())
            if text is not None and choices and text not in choices:
                otherwise = f"; it is {', '.join(choices)}"
                findings.unknown(item.at, field, text, choices, otherwise)
            elif text is not None:
                values.add(text)
        if not values and len(findings) > before:
            return None
        if not values:
            findings.add(value.at, f"{quoted(field)} has no value to look for")
            return None
        filters.append((field, tuple(sorted(values))))
    return tuple(filters)
