"""The `imports:` of `capture.yaml`: what the rows of other products' files become."""

import re
from collections.abc import Sequence
from dataclasses import replace

from worker.core.mapping import Import, Shape, plain
from worker.core.picking import STEP, Condition, Pick, Value
from worker.rulefiles import shapes
from worker.rulefiles.mapping import LONGEST, condition, head, need_accounts, need_ids, shape
from worker.rulefiles.nodes import List, Node, Text
from worker.rulefiles.problems import Findings, quoted

KEYS = ("source", "columns", "id", "time", "changed", "skip", "subject", "member", "events")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def read_import(key: Text, node: Node, findings: Findings) -> Import | None:
    """One kind of files. Its paths begin with a column, as `plain` makes its name."""
    if not _NAME.fullmatch(key.text):
        findings.add(key.at, "the name of an import is up to 40 of a-z, 0-9 and -")
        return None
    given = shapes.fields(node, quoted(key.text), KEYS, findings)
    if "events" not in given:
        if given:
            findings.add(node.at, f"{quoted(key.text)} has no 'events': what its rows become")
        return None
    nodes = shapes.items(given["events"][1], "'events'", findings)
    events = [shape(one, f"an event of {quoted(key.text)}", None, findings) for one in nodes]
    subject, member = head(given, "subject", findings), head(given, "member", findings)
    events = [one and _about(one, subject, member) for one in events]
    need_accounts(nodes, events, findings)
    need_ids(nodes, events, findings)
    source = None
    if "source" in given:
        source = shapes.text(given["source"][1], "'source'", LONGEST, findings)
    return Import(
        key.text,
        source or key.text,
        tuple(_of_columns(one) for one in events if one is not None),
        tuple(_columns(given, findings)),
        _plain(head(given, "id", findings)),
        _plain(head(given, "time", findings)),
        _plain_condition(condition(given, "skip", findings)),
        _plain(head(given, "changed", findings)),
    )


def _columns(given: shapes.Fields, findings: Findings) -> Sequence[tuple[str, ...]]:
    """Sets of columns: one, as a list of names, or several, as a list of such lists."""
    if "columns" not in given:
        return ()
    nodes = shapes.items(given["columns"][1], "'columns'", findings)
    sets = [node.items for node in nodes if isinstance(node, List)] or [nodes]
    found = [[shapes.text(one, "'columns'", LONGEST, findings) for one in some] for some in sets]
    return [tuple(plain(name) for name in some if name is not None) for some in found if some]


def _about(found: Shape, subject: Value, member: Value) -> Shape:
    """The event with the account of the row, where it does not name one itself."""
    if found.type == "rep" or found.subject or found.member:
        return found
    return replace(found, subject=subject, member=member)


def _of_columns(found: Shape) -> Shape:
    return replace(
        found,
        fields={name: _plain(value) for name, value in found.fields.items()},
        subject=_plain(found.subject),
        member=_plain(found.member),
        when=_plain_condition(found.when),
        time=_plain(found.time),
        id=_plain(found.id),
    )


def _plain_condition(found: Condition) -> Condition:
    return tuple((_plain_pick(pick), words) for pick, words in found)


def _plain(value: Value) -> Value:
    return tuple(map(_plain_pick, value))


def _plain_pick(pick: Pick) -> Pick:
    if pick.path is None:
        return pick
    path = STEP.sub(lambda step: f"['{plain(step[1] or step[2])}']", pick.path, count=1)
    return replace(pick, path=path, beside=pick.beside and _plain_pick(pick.beside))
