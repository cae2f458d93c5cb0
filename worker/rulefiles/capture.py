"""`capture.yaml`: whose addresses are whose, and what others' messages become: those of Segment's
libraries, of webhooks, of files."""

import re
from collections.abc import Sequence
from pathlib import Path

from worker.core.addresses import NO_PEOPLE
from worker.core.mapping import ONCE, SCHEMES, Capture, Hook, Import, Shape, Verification
from worker.rulefiles import shapes
from worker.rulefiles.files import CAPTURE, read
from worker.rulefiles.imports import read_import
from worker.rulefiles.mapping import LONGEST, head, need_accounts, need_ids, shape
from worker.rulefiles.nodes import Node, Text
from worker.rulefiles.people import read_people
from worker.rulefiles.problems import Findings, quoted

KEYS = ("people", "track", "calls", "hooks", "imports")
CALLS = ("identify", "group", "page", "screen")
HOOK_KEYS = ("verify", "each", "id", "time", "events")
VERIFY_KEYS = ("scheme", "header", "prefix", "timestamp")
IGNORE = "ignore"

_HOOK_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CALL_TYPES = {"identify": "contact", "group": "account", "page": "usage", "screen": "usage"}


def load_capture(file: Path) -> Capture:
    """The mappings of a file.

    Raises RuleFilesRefused, with every problem, if there is one.
    """
    findings = Findings()
    found = read_capture(file, findings)
    findings.require_none()
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
    imports: dict[str, Import] = {}
    for key, node in _table(found, "imports", findings):
        if one := read_import(key, node, findings):
            imports[key.text] = one
    people = NO_PEOPLE
    if "people" in found and not shapes.is_blank(found["people"][1]):
        people = read_people(found["people"][1], findings)
    return Capture(track, calls, hooks, imports, people)


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
    for key, _ in shapes.table(node, what, findings):
        if key.text == "id":
            findings.add(key.at, f"{what} has an 'id', but a call's own is what counts: remove it")
    return shape(node, what, kind, findings)


def _hook(name: str, node: Node, findings: Findings) -> Hook | None:
    given = shapes.fields(node, quoted(name), HOOK_KEYS, findings)
    if "events" not in given:
        if given:
            findings.add(node.at, f"{quoted(name)} has no 'events': what its payload becomes")
        return None
    nodes = shapes.items(given["events"][1], "'events'", findings)
    events = [shape(one, f"an event of {quoted(name)}", None, findings) for one in nodes]
    need_accounts(nodes, events, findings)
    need_ids(nodes, events, findings)
    each = head(given, "each", findings)
    found = Hook(
        name,
        _verification(given, findings),
        tuple(one for one in events if one is not None),
        head(given, "id", findings),
        head(given, "time", findings),
        each[0] if each else None,
    )
    if found.verify.scheme != "standard" and not found.time:
        _warn_of_undated(nodes, events, findings)
    return found


def _warn_of_undated(
    nodes: Sequence[Node], events: Sequence[Shape | None], findings: Findings
) -> None:
    """Note what may be said anew, where nothing may tell that from the same message again."""
    for node, found in zip(nodes, events, strict=True):
        if found and found.type not in ONCE and not found.time:
            findings.warn(
                node.at,
                f"the {found.type} has no 'time', so it is lost as a duplicate if it returns to "
                "what it was before, unless 'id' is another one in every message: give it a 'time'",
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
            name: shapes.text(one, quoted(name), LONGEST, findings)
            for name, (_, one) in found.items()
        }
        fields = {name: text for name, text in texts.items() if text is not None}
    verify = Verification(**fields)
    if verify.scheme not in SCHEMES:
        findings.unknown(node.at, "scheme", verify.scheme, SCHEMES)
    elif verify.scheme.startswith("hmac") and not verify.header:
        findings.add(key.at, f"{verify.scheme} needs 'header', the one that has the signature")
    return verify
