"""`capture.yaml`: what the messages of Segment's libraries and of webhooks become."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from worker.core.events import TYPES
from worker.core.mapping import (
    FILTERS,
    PATH,
    SCHEMES,
    Capture,
    Hook,
    Pick,
    Shape,
    Value,
    Verification,
    fitted,
)
from worker.core.problems import expected, fits
from worker.rulefiles import shapes
from worker.rulefiles.files import CAPTURE, read
from worker.rulefiles.nodes import List, Node, Text
from worker.rulefiles.problems import Findings, RuleFilesRefused, quoted

KEYS = ("track", "calls", "hooks")
CALLS = ("identify", "group", "page", "screen")
HOOK_KEYS = ("verify", "each", "id", "time", "events")
VERIFY_KEYS = ("scheme", "header", "prefix", "timestamp")
IGNORE = "ignore"
HEAD_KEYS = ("type", "subject", "member", "when")

_LONGEST = 300
_MOST = 50
_HOOK_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CALL_TYPES = {"identify": "contact", "group": "account", "page": "usage", "screen": "usage"}


def load_capture(file: Path) -> Capture:
    """The mappings of a file.

    Raises RuleFilesRefused, with every problem, if there is one.
    """
    findings = Findings()
    found = read_capture(file, findings)
    if findings:
        raise RuleFilesRefused(findings.sorted())
    return found


def read_capture(file: Path, findings: Findings) -> Capture:
    """The mappings of one file, none where it is missing; what is wrong is left out."""
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return Capture()
    found = shapes.fields(tree, CAPTURE, KEYS, findings)
    track: dict[str, Shape | None] = {}
    for key, node in _table(found, "track", findings):
        track[key.text] = _shape_or_none(node, quoted(key.text), None, findings)
    calls: dict[str, Shape | None] = {}
    if "calls" in found and not shapes.is_blank(found["calls"][1]):
        for name, (_, node) in shapes.fields(found["calls"][1], "'calls'", CALLS, findings).items():
            calls[name] = _shape_or_none(node, quoted(name), _CALL_TYPES[name], findings)
    hooks: dict[str, Hook] = {}
    for key, node in _table(found, "hooks", findings):
        if not _HOOK_NAME.fullmatch(key.text):
            findings.add(key.at, "the name of a hook is up to 40 of a-z, 0-9 and -")
        elif hook := _hook(key.text, node, findings):
            hooks[key.text] = hook
    return Capture(track, calls, hooks)


def _table(found: shapes.Fields, key: str, findings: Findings) -> list[tuple[Text, Node]]:
    if key not in found or shapes.is_blank(found[key][1]):
        return []
    return list(shapes.table(found[key][1], quoted(key), findings))


def _shape_or_none(node: Node, what: str, kind: str | None, findings: Findings) -> Shape | None:
    if isinstance(node, Text) and node.text == IGNORE:
        return None
    if isinstance(node, Text):
        findings.add(node.at, f"{what} is '{IGNORE}', or the fields of the event it becomes")
        return None
    return _shape(node, what, kind, findings)


def _shape(node: Node, what: str, kind: str | None, findings: Findings) -> Shape | None:
    given = {key.text: (key, value) for key, value in shapes.table(node, what, findings)}
    if not given:
        return None
    type_ = kind
    if "type" in given:
        type_ = shapes.text(given["type"][1], "'type'", _LONGEST, findings)
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
        _head(given, "subject", findings),
        _head(given, "member", findings),
        _when(given, findings),
    )


def _head(given: Mapping[str, tuple[Text, Node]], name: str, findings: Findings) -> Value:
    return _value(given[name][1], quoted(name), findings) if name in given else ()


def _when(
    given: Mapping[str, tuple[Text, Node]], findings: Findings
) -> tuple[tuple[Pick, tuple[str, ...]], ...]:
    if "when" not in given:
        return ()
    found = []
    for key, node in shapes.table(given["when"][1], "'when'", findings):
        pick = _pick(key, "'when'", findings)
        if pick is not None and pick.path is None:
            findings.add(key.at, "'when' has paths as its keys: write them like $.type")
        nodes = shapes.one_or_more(node, quoted(key.text), _MOST, findings)
        words = [shapes.text(one, quoted(key.text), _LONGEST, findings) for one in nodes]
        if pick is not None:
            found.append((pick, tuple(word for word in words if word is not None)))
    return tuple(found)


def _value(node: Node, what: str, findings: Findings) -> Value:
    nodes = node.items if isinstance(node, List) else (node,)
    if len(nodes) > _MOST:
        findings.add(node.at, f"{what} has {len(nodes)} ways to it; {_MOST} are allowed")
        return ()
    picks = [_pick(one, what, findings) for one in nodes]
    return tuple(pick for pick in picks if pick is not None)


def _pick(node: Node, what: str, findings: Findings) -> Pick | None:
    text = shapes.text(node, what, _LONGEST, findings)
    if text is None or not isinstance(node, Text):
        return None
    if not text.startswith("$"):
        return Pick(constant=_constant(text, node.quoted))
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


def _hook(name: str, node: Node, findings: Findings) -> Hook | None:
    given = shapes.fields(node, quoted(name), HOOK_KEYS, findings)
    if "events" not in given:
        if given:
            findings.add(node.at, f"{quoted(name)} has no 'events': what its payload becomes")
        return None
    nodes = shapes.items(given["events"][1], "'events'", findings)
    events = [_shape(one, f"an event of {quoted(name)}", None, findings) for one in nodes]
    for one, found in zip(nodes, events, strict=True):
        if found and found.type != "rep" and not found.subject and not found.member:
            findings.add(one.at, "the event has no 'subject': which account it is about")
    each = _head(given, "each", findings)
    return Hook(
        name,
        _verification(given, findings),
        tuple(one for one in events if one is not None),
        _head(given, "id", findings),
        _head(given, "time", findings),
        each[0] if each else None,
    )


def _verification(given: shapes.Fields, findings: Findings) -> Verification:
    if "verify" not in given:
        return Verification()
    key, node = given["verify"]
    if isinstance(node, Text):
        fields = {"scheme": node.text}
    else:
        found = shapes.fields(node, "'verify'", VERIFY_KEYS, findings)
        texts = {
            name: shapes.text(one, quoted(name), _LONGEST, findings)
            for name, (_, one) in found.items()
        }
        fields = {name: text for name, text in texts.items() if text is not None}
    verify = Verification(**fields)
    if verify.scheme not in SCHEMES:
        findings.unknown(node.at, "scheme", verify.scheme, SCHEMES)
    elif verify.scheme.startswith("hmac") and not verify.header:
        findings.add(key.at, f"{verify.scheme} needs 'header', the one that has the signature")
    return verify
