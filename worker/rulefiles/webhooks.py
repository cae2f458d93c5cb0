"""`webhooks.yaml`: which other systems are told of flags and facts, and of which."""

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx2

from worker.core.facts import FACTS
from worker.core.rules import LONGEST_LINK, Severity
from worker.core.webhooks import FlagsTold, Transition, Webhook, Webhooks
from worker.rulefiles import shapes
from worker.rulefiles.files import WEBHOOKS, read
from worker.rulefiles.metrics import read_beside
from worker.rulefiles.nodes import Node, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted

KEYS = ("webhooks",)
WEBHOOK_KEYS = ("url", "allow_http", "segment", "flags", "facts")
FLAG_KEYS = ("severity", "rule", "transition")
ALL = "all"
SECRET = "secret"
MOST_WEBHOOKS = 20

_LONGEST_WORD = 200
_MOST = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def load_webhooks(root: Path) -> Webhooks:
    """The webhooks of a rules directory; none without the file.

    Raises RuleFilesRefused, with every problem, if its webhooks.yaml is wrong.
    """
    findings = Findings()
    found = read_webhooks(root / WEBHOOKS, findings)
    findings.require_none()
    return found


def read_webhooks(file: Path, findings: Findings) -> Webhooks:
    """The webhooks of one file: those that are right, none where it is missing."""
    listed = _listed(file, findings)
    if len(listed) > MOST_WEBHOOKS:
        first, _ = listed[MOST_WEBHOOKS]
        findings.add(first.at, f"{len(listed):,} webhooks; {MOST_WEBHOOKS} are allowed")
        return ()
    own = read_beside(file, Findings()).own if listed else {}
    known = [*FACTS, *own]
    found = [hook for key, node in listed if (hook := _webhook(key, node, known, findings))]
    return tuple(sorted(found, key=lambda one: one.name))


def check_rules(path: Path, rules: Collection[str], findings: Findings) -> None:
    """Note the rules that the webhooks of a rules directory name, and that no rule file has."""
    try:
        listed = _listed(path / WEBHOOKS, Findings())
    except OSError:  # a path that cannot be, which is told where its rules are read
        return
    for _, node in listed:
        flags = _within(node, WEBHOOK_KEYS, "flags")
        named = _within(flags, FLAG_KEYS, "rule") if flags else None
        for item in shapes.one_or_more(named, "'rule'", _MOST, Findings()) if named else ():
            if isinstance(item, Text) and item.text.strip() not in rules:
                findings.unknown(item.at, "rule", item.text.strip(), rules)


def _within(node: Node, keys: Collection[str], key: str) -> Node | None:
    _, found = shapes.fields(node, "", keys, Findings()).get(key, (None, None))
    return found


def _listed(file: Path, findings: Findings) -> list[tuple[Text, Node]]:
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return []
    fields = shapes.fields(tree, "a webhooks file", KEYS, findings)
    _, listed = fields.get("webhooks", (None, None))
    if listed is None or shapes.is_blank(listed):
        return []
    return list(shapes.table(listed, "'webhooks'", findings))


def _webhook(key: Text, node: Node, known: Collection[str], findings: Findings) -> Webhook | None:
    before = len(findings)
    if not _NAME.fullmatch(key.text):
        findings.add(key.at, "the name of a webhook is up to 40 of a-z, 0-9 and -")
    what = f"webhook {quoted(key.text)}"
    given = shapes.fields(node, "a webhook", (*WEBHOOK_KEYS, SECRET), findings)
    if SECRET in given:
        told = "a secret does not stand here: docs/webhooks.md says which variable has it"
        findings.add(given[SECRET][0].at, told)
    is_table = isinstance(node, Table)
    if is_table and "url" not in given:
        findings.add(key.at, f"{what} has no 'url': where is it to be sent?")
    if is_table and not given.keys() & {"flags", "facts"}:
        findings.add(key.at, f"{what} has neither 'flags' nor 'facts': what is it told of?")
    url = _url(given, findings)
    segments = _words(given, "segment", findings)
    flags = _flags(given["flags"][1], findings) if "flags" in given else None
    facts = _chosen(given, "facts", "fact", known, findings, "; docs/facts.md has them")
    if len(findings) > before or url is None:
        return None
    return Webhook(key.text, url, segments, flags, facts)


def _url(given: shapes.Fields, findings: Findings) -> str | None:
    if "url" not in given:
        return None
    node = given["url"][1]
    text = shapes.text(node, "'url'", LONGEST_LINK, findings)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - read for what it raises
        httpx2.URL(text)
    except (ValueError, httpx2.InvalidURL):
        parts = SplitResult("", "", "", "", "")
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        told = "'url' has a user or a password: leave them out, what is sent is signed instead"
        findings.add(node.at, told)
    elif parts.scheme not in ("http", "https") or not host or not _is_plain(text):
        message = "'url' is an address such as 'https://crm.example.com/hooks', not"
        findings.add(node.at, f"{message} {quoted(text)}")
    elif parts.fragment:
        findings.add(node.at, "'url' has a '#': what follows it is never sent")
    elif parts.scheme == "http" and host not in _THIS_MACHINE and not _allows_http(given, findings):
        told = "'url' must begin with https://, or anyone on the way can read it"
        findings.add(node.at, f"{told}; 'allow_http: true' beside it says that this is meant")
    else:
        return text
    return None


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _allows_http(given: shapes.Fields, findings: Findings) -> bool:
    if "allow_http" not in given:
        return False
    node = given["allow_http"][1]
    text = shapes.text(node, "'allow_http'", _LONGEST_WORD, findings)
    if text is not None and text not in ("true", "false"):
        findings.add(node.at, f"'allow_http' is true or false, not {quoted(text)}")
    return text == "true"


def _flags(node: Node, findings: Findings) -> FlagsTold:
    """`all`, or a table of what is told of which."""
    if isinstance(node, Text):
        if node.text.strip() != ALL:
            hint = f"'flags' is '{ALL}', or lines of {', '.join(FLAG_KEYS)}, not"
            findings.add(node.at, f"{hint} {quoted(node.text)}")
        return FlagsTold()
    given = shapes.fields(node, "'flags'", FLAG_KEYS, findings)
    severities = _chosen(given, "severity", "severity", tuple(Severity), findings)
    transitions = _chosen(given, "transition", "transition", tuple(Transition), findings)
    return FlagsTold(
        tuple(map(Severity, severities)),
        _words(given, "rule", findings),
        tuple(map(Transition, transitions)),
    )


def _chosen(
    given: shapes.Fields,
    key: str,
    what: str,
    known: Collection[str],
    findings: Findings,
    otherwise: str = "",
) -> tuple[str, ...]:
    """One or more of the known words."""
    found = []
    for at, word in _each(given, key, findings):
        if word in known:
            found.append(word)
        else:
            findings.unknown(at, what, word, known, otherwise or f"; it is {', '.join(known)}")
    return tuple(sorted(set(found)))


def _words(given: shapes.Fields, key: str, findings: Findings) -> tuple[str, ...]:
    return tuple(sorted({word for _, word in _each(given, key, findings)}))


def _each(given: shapes.Fields, key: str, findings: Findings) -> list[tuple[Place, str]]:
    if key not in given:
        return []
    items = shapes.one_or_more(given[key][1], quoted(key), _MOST, findings)
    texts = [(item.at, shapes.text(item, quoted(key), _LONGEST_WORD, findings)) for item in items]
    return [(at, text) for at, text in texts if text is not None]
