"""The mapping language: the paths, filters and events that `capture.yaml` is written in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from worker.core.contents import TYPES
from worker.core.forms import FILTERS, fitted
from worker.core.mapping import Shape, are_twins
from worker.core.picking import PATH, Condition, Pick, Value
from worker.core.problems import expected, fits
from worker.core.sorting import BY_EMAIL, NAMING
from worker.rulefiles import shapes
from worker.rulefiles.nodes import List, Node, Text
from worker.rulefiles.problems import Findings, quoted

HEAD_KEYS = ("type", "id", "subject", "member", "people", "when", "time")
LONGEST = 300
MOST = 50
"""Ways to one value, or texts that one may be."""


def shape(node: Node, what: str, kind: str | None, findings: Findings) -> Shape | None:
    """What a message becomes: an event of the type `kind`, else of the one that is given."""
    given = {key.text: (key, value) for key, value in shapes.table(node, what, findings)}
    if not given:
        return None
    type_ = kind
    if "type" in given:
        type_ = shapes.text(given["type"][1], "'type'", LONGEST, findings)
        if type_ is not None and type_ not in TYPES:
            findings.unknown(given["type"][1].at, "type of event", type_, TYPES)
            return None
    if type_ is None:
        if "type" not in given:
            findings.add(node.at, f"{what} has no 'type': one of {', '.join(TYPES)}")
        return None
    known = {one.name: one for one in msgspec.structs.fields(TYPES[type_])}
    content: dict[str, Value] = {}
    for name, (key, value) in given.items():
        if name in HEAD_KEYS:
            continue
        if name not in known:
            findings.unknown(key.at, f"field of {type_}", name, [*known, *HEAD_KEYS])
            continue
        content[name] = _value(value, quoted(name), findings)
        _check_constants(value, content[name], type_, known[name], findings)
    for name, one in known.items():
        if one.required and name not in content and kind is None:
            findings.add(node.at, f"{what} has no {quoted(name)}, which {type_} events need")
    return Shape(
        type_,
        content,
        head(given, "subject", findings),
        head(given, "member", findings),
        condition(given, "when", findings),
        head(given, "time", findings),
        _by_email(given, findings),
        head(given, "id", findings),
    )


def head(given: Mapping[str, tuple[Text, Node]], name: str, findings: Findings) -> Value:
    """The ways to a value that may be missing from the mapping."""
    return _value(given[name][1], quoted(name), findings) if name in given else ()


def _by_email(given: Mapping[str, tuple[Text, Node]], findings: Findings) -> bool:
    if "people" not in given:
        return False
    node = given["people"][1]
    said = shapes.text(node, "'people'", LONGEST, findings)
    if said is not None and said != BY_EMAIL:
        findings.add(node.at, f"'people' can only be {BY_EMAIL}, not {quoted(said)}")
    return said == BY_EMAIL


def need_accounts(
    nodes: Sequence[Node], events: Sequence[Shape | None], findings: Findings
) -> None:
    """See that every event that needs an account says which."""
    for node, found in zip(nodes, events, strict=True):
        if found is None or found.type == "rep" or found.subject or found.member:
            continue
        if not (found.by_email and found.type in NAMING):
            findings.add(node.at, "the event has no 'subject': which account it is about")


def need_ids(nodes: Sequence[Node], events: Sequence[Shape | None], findings: Findings) -> None:
    """See that of events which come out of one message something tells them apart."""
    for place, (node, found) in enumerate(zip(nodes, events, strict=True)):
        if found and any(one and are_twins(one, found) for one in events[:place]):
            findings.add(
                node.at,
                f"nothing tells this {found.type} from the one above it, if both come out of one "
                "message: give it an 'id', like 'id: second'",
            )


def condition(given: Mapping[str, tuple[Text, Node]], name: str, findings: Findings) -> Condition:
    """Paths, each with the texts that it may lead to; empty if there is none of this name."""
    if name not in given:
        return ()
    what, found = quoted(name), []
    for key, node in shapes.table(given[name][1], what, findings):
        pick = _pick(key, what, findings)
        if pick is not None and pick.path is None:
            findings.add(key.at, f"{what} has paths as its keys: write them like $.type")
        nodes = shapes.one_or_more(node, quoted(key.text), MOST, findings)
        words = [_word(one, quoted(key.text), findings) for one in nodes]
        if pick is not None:
            found.append((pick, tuple(word for word in words if word is not None)))
    return tuple(found)


def _word(node: Node, what: str, findings: Findings) -> str | None:
    """A text that a path may lead to; the empty one, in quotes, stands for nothing being there."""
    if isinstance(node, Text) and node.quoted and not node.text:
        return ""
    return shapes.text(node, what, LONGEST, findings)


def _value(node: Node, what: str, findings: Findings) -> Value:
    nodes = node.items if isinstance(node, List) else (node,)
    if len(nodes) > MOST:
        findings.add(node.at, f"{what} has {len(nodes)} ways to it; {MOST} are allowed")
        return ()
    picks = [_pick(one, what, findings) for one in nodes]
    return tuple(pick for pick in picks if pick is not None)


def _pick(node: Node, what: str, findings: Findings) -> Pick | None:
    text = shapes.text(node, what, LONGEST, findings)
    if text is None or not isinstance(node, Text):
        return None
    if not text.startswith("$"):
        return Pick(constant=_constant(text, node.quoted))
    ours, _, rest = text.partition(" + ")
    beside = _path(rest, node, findings) if rest else None
    found = _path(ours, node, findings)
    return replace(found, beside=beside) if found and beside else found


def _path(text: str, node: Text, findings: Findings) -> Pick | None:
    if " + " in text:
        findings.add(node.at, "more than two paths with + between them")
        return None
    path, *filters = (part.strip() for part in text.split("|"))
    if not PATH.fullmatch(path):
        findings.add(
            node.at, f"{quoted(path)} is no path that is read: write it like $.items[0].name"
        )
        return None
    for name in filters:
        if name not in FILTERS:
            findings.unknown(node.at, "filter", name, FILTERS, f"; there are {', '.join(FILTERS)}")
            return None
    return Pick(path, filters=tuple(filters))


def _constant(text: str, is_quoted: bool) -> Any:
    if is_quoted:
        return text
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _check_constants(
    node: Node, value: Value, type_: str, known: msgspec.structs.FieldInfo, findings: Findings
) -> None:
    """See that what stands there itself is what the field may be."""
    for pick in value:
        if pick.path is not None:
            continue
        if not fits(fitted(pick.constant, type_, known.name), known.type):
            may = expected(known.type)
            findings.add(node.at, f"{quoted(known.name)} must be {may}, not {pick.constant!r}")
