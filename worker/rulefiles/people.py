"""The `people:` of `capture.yaml`: which domains are ours, and which mailboxes are nobody's."""

import re

from worker.core.addresses import NO_PEOPLE, People, normal_domain
from worker.rulefiles import shapes
from worker.rulefiles.nodes import Node
from worker.rulefiles.problems import Findings, quoted

INTERNAL, MAILBOXES, DOMAINS = "internal domains", "shared mailboxes", "shared domains"
KEYS = (INTERNAL, MAILBOXES, DOMAINS)

_MOST = 500
_LONGEST = 200
_MAILBOX = re.compile(r"[^\s@]+(@[^\s@]+)?")


def read_people(node: Node, findings: Findings) -> People:
    """How addresses are sorted; what is not said is as it is by default."""
    given = shapes.fields(node, "'people'", KEYS, findings)
    listed = {name: _texts(one, quoted(name), findings) for name, (_, one) in given.items()}
    mailboxes: tuple[str, ...] = NO_PEOPLE.shared_mailboxes
    if MAILBOXES in listed:
        mailboxes = tuple(_mailbox(*one, findings) for one in listed[MAILBOXES])
    return People(
        frozenset(_domain(*one, findings) for one in listed.get(INTERNAL, ())),
        mailboxes,
        frozenset(_domain(*one, findings) for one in listed.get(DOMAINS, ())),
    )


def _texts(node: Node, what: str, findings: Findings) -> list[tuple[Node, str]]:
    if shapes.is_blank(node):
        return []
    nodes = shapes.one_or_more(node, what, _MOST, findings)
    return [
        (one, text)
        for one in nodes
        if (text := shapes.text(one, what, _LONGEST, findings)) is not None
    ]


def _domain(node: Node, text: str, findings: Findings) -> str:
    domain = normal_domain(text)
    if domain is None:
        findings.add(node.at, f"{quoted(text)} is no domain: write one like example.com")
    return domain or ""


def _mailbox(node: Node, text: str, findings: Findings) -> str:
    if not _MAILBOX.fullmatch(text):
        what = "the part of an address before its @, or an address; * stands for anything"
        findings.add(node.at, f"{quoted(text)} is no mailbox: write {what}")
    return text.casefold()
