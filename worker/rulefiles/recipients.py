"""Whom a rule wants told: `owner`, `owner's manager`, `"#renewals"`, `rep sam`, or several."""

import re

from worker.core.rules import Recipient, RecipientKind
from worker.rulefiles import shapes
from worker.rulefiles.nodes import Node
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.thresholds import Scope

_BARE = (RecipientKind.OWNER, RecipientKind.OWNERS_MANAGER)
_CHANNEL = re.compile(r"#([\w-]{1,80})")
_REP = re.compile(r"rep (\S.*)")
_FORMS = "owner, owner's manager, a channel such as '#renewals' or a rep such as 'rep sam'"
_LONGEST = 210
_MOST = 20


def recipients(node: Node | None, scope: Scope) -> tuple[Recipient, ...]:
    """Those in a list, or the one that stands alone; sorted, as their order means nothing."""
    return () if node is None else recipients_in(node, scope.findings)


def recipients_in(node: Node, findings: Findings) -> tuple[Recipient, ...]:
    """Those in a list, or the one that stands alone, of any file."""
    found: set[Recipient] = set()
    for item in shapes.one_or_more(node, "'notify'", _MOST, findings):
        if shapes.is_blank(item):
            message = "'notify' is empty: a # starts a comment, so quote a channel: \"#renewals\""
            findings.add(item.at, message)
            continue
        text = shapes.text(item, "'notify'", _LONGEST, findings)
        if text is None:
            continue
        one = _recipient(" ".join(text.split()))
        if one is None:
            nearest = findings.nearest(text, _BARE)
            hint = f"; did you mean {quoted(nearest)}?" if nearest else ""
            findings.add(item.at, f"'notify' is {_FORMS}, not {quoted(text)}{hint}")
        elif one in found:
            findings.add(item.at, f"{quoted(text)} is here twice")
        else:
            found.add(one)
    return tuple(sorted(found))


def _recipient(text: str) -> Recipient | None:
    if text in _BARE:
        return Recipient(RecipientKind(text))
    if rep := _REP.fullmatch(text):
        return Recipient(RecipientKind.REP, rep[1])
    channel = _CHANNEL.fullmatch(text)
    if channel and text == text.lower():
        return Recipient(RecipientKind.CHANNEL, channel[1])
    return None
