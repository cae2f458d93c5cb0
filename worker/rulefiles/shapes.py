"""Reading a node as what should stand there: a table, a list or a text."""

from collections.abc import Collection, Iterator

from worker.rulefiles.nodes import List, Node, Refused, Table, Text
from worker.rulefiles.problems import Findings, quoted

Fields = dict[str, tuple[Text, Node]]
"""Values by key, each with the key's own node."""


def table(node: Node, what: str, findings: Findings) -> Iterator[tuple[Text, Node]]:
    """The keys and values of a table, without the keys that it repeats."""
    if not isinstance(node, Table):
        complain(node, f"{what} must be lines of 'key: value'", findings)
        return
    seen: dict[str, Text] = {}
    for key, value in node.pairs:
        if not isinstance(key, Text):
            complain(key, "a key must be a plain text", findings)
        elif first := seen.get(key.text):
            message = f"{quoted(key.text)} is here twice, first in line {first.at.line}"
            findings.add(key.at, message)
        else:
            seen[key.text] = key
            yield key, value


def fields(node: Node, what: str, known: Collection[str], findings: Findings) -> Fields:
    """The values of a table whose keys are known ones."""
    found: Fields = {}
    for key, value in table(node, what, findings):
        if key.text in known:
            found[key.text] = (key, value)
        else:
            otherwise = f"; {what} has {', '.join(known)}"
            findings.unknown(key.at, "key", key.text, known, otherwise)
    return found


def items(node: Node, what: str, findings: Findings) -> tuple[Node, ...]:
    """The items of a list."""
    if isinstance(node, List):
        return node.items
    complain(node, f"{what} must be a list, each item on a line that starts with '- '", findings)
    return ()


def one_or_more(node: Node, what: str, most: int, findings: Findings) -> tuple[Node, ...]:
    """The items of a list, or the node that stands alone; none if there are too many."""
    found = node.items if isinstance(node, List) else (node,)
    if len(found) <= most:
        return found
    findings.add(node.at, f"{what} has {len(found):,} of them; {most} are allowed")
    return ()


def text(node: Node, what: str, longest: int, findings: Findings) -> str | None:
    """A text that says something, without the space around it."""
    if not isinstance(node, Text):
        complain(node, f"{what} must be a text; quote one that starts with {{ or [", findings)
    elif not node.text.strip():
        findings.add(node.at, f"{what} is empty")
    elif len(node.text) > longest:
        findings.add(node.at, f"{what} has {len(node.text):,} characters; {longest} are allowed")
    else:
        return node.text.strip()
    return None


def is_blank(node: Node) -> bool:
    """Whether nothing stands here, as when all that was there is commented out."""
    return isinstance(node, Text) and not node.text


def complain(node: Node, message: str, findings: Findings) -> None:
    """Note that the node is not what should stand there, unless it was reported before."""
    if not isinstance(node, Refused):
        findings.add(node.at, message)
