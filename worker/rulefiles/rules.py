"""A rule as it stands in a rule file."""

import re

from worker.core.rules import Mode, Rule
from worker.rulefiles import shapes, values
from worker.rulefiles.conditions import condition
from worker.rulefiles.nodes import Node, Table
from worker.rulefiles.overrides import Claim
from worker.rulefiles.problems import quoted
from worker.rulefiles.recipients import recipients
from worker.rulefiles.thresholds import Scope

REQUIRED = ("id", "title", "severity", "when")
KEYS = (
    *REQUIRED,
    "advice",
    "playbook",
    "hold_for",
    "keep_open_for",
    "except_when",
    "tags",
    "kind",
    "mode",
    "notify",
    "remind_every",
    "override",
)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_ID = 80
LONGEST_TITLE = 300
_LONGEST_ADVICE = 2_000


def rule(node: Node, scope: Scope) -> Claim | None:
    """The rule that a node says and its claim to its id; None if it has no sound id."""
    before = len(scope.findings)
    found = shapes.fields(node, "a rule", KEYS, scope.findings)
    if isinstance(node, Table):
        for key in REQUIRED:
            if key not in found:
                scope.findings.add(node.at, f"the rule has no {quoted(key)}")
    given = {key: value for key, (_, value) in found.items()}
    name = _id(given.get("id"), scope)
    title = values.words(given.get("title"), "'title'", LONGEST_TITLE, scope)
    severity = values.severity(given.get("severity"), scope)
    advice = values.words(given.get("advice"), "'advice'", _LONGEST_ADVICE, scope)
    playbook = values.link(given.get("playbook"), "'playbook'", scope)
    hold_for = values.days(given.get("hold_for"), "'hold_for'", scope)
    keep_open_for = values.days(given.get("keep_open_for"), "'keep_open_for'", scope)
    tags = values.tags(given.get("tags"), scope)
    kind = values.kind(given.get("kind"), scope)
    mode = values.mode(given.get("mode"), scope)
    notify = recipients(given.get("notify"), scope)
    remind_every = values.reminder(given.get("remind_every"), "'remind_every'", scope)
    override = values.truth(given.get("override"), "'override'", scope)
    when, except_when = (
        condition(given[key], quoted(key), scope) if key in given else None
        for key in ("when", "except_when")
    )
    if not name:
        return None
    at = given["id"].at
    if len(scope.findings) > before or not (title and severity and when):
        return Claim(name, at, override, None)
    whole = Rule(
        name,
        " ".join(title.split()),
        severity,
        when,
        advice,
        hold_for,
        keep_open_for,
        except_when,
        playbook,
        tags,
        mode or Mode.LIVE,
        notify,
        remind_every,
        kind,
    )
    return Claim(name, at, override, whole, off=mode is None)


def _id(node: Node | None, scope: Scope) -> str | None:
    name = shapes.text(node, "'id'", _LONGEST_ID, scope.findings) if node else None
    if node is None or name is None:
        return None
    if not _ID.fullmatch(name):
        message = f"{quoted(name)} cannot be an id: use letters, digits, '-', '_' and '.'"
        scope.findings.add(node.at, message)
        return None
    return name
