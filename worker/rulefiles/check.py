"""Rule files to a rule set, or to everything that is wrong with them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from worker.core.rules import Mode, RuleSet, rule_set
from worker.rulefiles import included, shapes, shared, thresholds
from worker.rulefiles.capture import read_capture
from worker.rulefiles.files import (
    CAPTURE,
    HEALTH,
    METRICS,
    SLACK,
    SOURCES,
    TIES,
    WEBHOOKS,
    last_changed,
    read,
    rule_files,
)
from worker.rulefiles.health import read_health
from worker.rulefiles.metrics import read_beside
from worker.rulefiles.nodes import Node, Refused
from worker.rulefiles.overrides import Claim, decided
from worker.rulefiles.problems import Findings, Place, Problem, RuleFilesRefused, quoted
from worker.rulefiles.rules import rule
from worker.rulefiles.sources import read_sources
from worker.rulefiles.telling import read_telling
from worker.rulefiles.thresholds import Scope
from worker.rulefiles.ties import read_ties
from worker.rulefiles.webhooks import check_rules, read_webhooks
from worker.shipped import rules_dir

KEYS = ("include", "thresholds", "conditions", "rules")
LONGEST_SHADOW = 90
"""Days after which a rule should have left the shadow."""

_DEFINE = {
    "include": included.include,
    "thresholds": thresholds.define,
    "conditions": shared.define,
}
_SETTINGS: dict[str, Callable[[Path, Findings], object]] = {
    TIES: read_ties,
    SLACK: read_telling,
    CAPTURE: read_capture,
    SOURCES: read_sources,
    HEALTH: read_health,
    WEBHOOKS: read_webhooks,
}


def load(root: Path, shipped: Path | None = None) -> RuleSet:
    """The rules of a directory; see `check` for `shipped`.

    Raises RuleFilesRefused, with every problem in every file, unless there is none.
    """
    problems, rules = check([root], shipped=shipped)
    if rules is None:
        raise RuleFilesRefused(problems)
    return rules


def check(
    paths: Sequence[Path], today: date | None = None, shipped: Path | None = None
) -> tuple[list[Problem], RuleSet | None]:
    """Every problem in these files and folders, and the rules if there is none.

    The files are read as one, in whatever order: thresholds and conditions serve all of them, and
    ids are unique among them. Warnings come with the problems if `today` is given, the UTC date.
    `shipped` is where the rules that ship are, should the files include them; by default where this
    version of tiewatch has them.
    """
    scope = Scope()
    for path in paths:
        metrics = read_beside(path, scope.findings)
        scope.own |= {name: own.fact for name, own in metrics.own.items()}
    scope.complete = scope.own_complete = not scope.findings
    seen: set[Path] = set()
    nodes = [node for path in paths for node in _rules_at(path, seen, scope)]
    nodes += _shipped_rules(shipped or rules_dir(), nodes, seen, scope)
    shared.read_conditions(scope)
    claims = decided([claim for node in nodes if (claim := rule(node, scope))], scope)
    thresholds.require_values(scope)
    included.blame(scope)
    if scope.complete:
        for path in paths:
            check_rules(path, [claim.id for claim in claims], scope.findings)
    found = scope.findings.sorted()
    if today is not None:
        _warn(claims, today, scope)
        found = scope.findings.with_warnings()
    if scope.findings:
        return found, None
    rules = [claim.rule for claim in claims if claim.rule and not claim.off]
    off = [claim.id for claim in claims if claim.off]
    thresholds_set = filter(None, scope.thresholds.values())
    return found, rule_set(rules, thresholds_set, off, tuple(scope.own.values()))


def _warn(claims: Iterable[Claim], today: date, scope: Scope) -> None:
    """Note what nobody uses, and rules long in the shadow."""
    for claim in claims:
        shadow = claim.rule is not None and claim.rule.mode is Mode.SHADOW
        if shadow and claim.at.file not in scope.shipped:
            _warn_of_shadow(claim, today, scope)
    if scope.findings:  # what is in the way of a use may be one of the problems
        return
    conditions = {name: one.at for name, one in scope.conditions.items()}
    for kind, places in (("threshold", scope.places), ("condition", conditions)):
        for name, at in places.items():
            if name not in scope.used and at.file not in scope.shipped:
                scope.findings.warn(at, f"{kind} {quoted(name)} is used nowhere in these files")


def _warn_of_shadow(claim: Claim, today: date, scope: Scope) -> None:
    changed = last_changed(Path(claim.at.file))
    if changed is None or (today - changed).days <= LONGEST_SHADOW:
        return
    told = f"rule {quoted(claim.id)} has been in shadow since this file last changed"
    age = f"{changed}, {(today - changed).days:,} days ago"
    scope.findings.warn(claim.at, f"{told}, {age}: make it live or remove it")


def _rules_at(path: Path, seen: set[Path], scope: Scope) -> list[Node]:
    """The rules at a path, not yet looked into, once what its files define is in the scope."""
    before = len(scope.findings)
    files = rule_files(path, scope.findings)
    if len(scope.findings) > before:
        return []
    if path.is_dir():
        for name, read_settings in _SETTINGS.items():
            read_settings(path / name, scope.findings)
    elif path.name in _SETTINGS:
        _SETTINGS[path.name](path, scope.findings)
        return []
    elif path.name == METRICS:
        return []
    nodes: list[Node] = []
    for file in files:
        if file.resolve() not in seen:
            seen.add(file.resolve())
            nodes += _rules_in(file, scope)
    if not nodes and not scope.included and path.is_dir() and len(scope.findings) == before:
        message = "no file here that ends in .yaml has a rule"
        advice = f"one with the line 'include: {included.SHIPPED}' would bring those of tiewatch"
        scope.findings.add(Place(str(path)), f"{message}; {advice}")
    return nodes


def _shipped_rules(
    root: Path, own: Sequence[Node], seen: Collection[Path], scope: Scope
) -> list[Node]:
    """The rules that ship, if these own ones build on them; what they define goes to the scope."""
    if not (scope.included or included.overridden(own)):
        return []
    shipped = Scope()
    files = [file for file in rule_files(root, shipped.findings) if file.resolve() not in seen]
    nodes = [node for file in files for node in _rules_in(file, shipped)]
    for problem in shipped.findings.sorted():  # in files that nobody should edit, but can
        place = Place(problem.file, problem.line, problem.column)
        scope.findings.add(place, problem.message)
    scope.shipped |= set(map(str, files))
    included.add(shipped, scope)
    return nodes


def _rules_in(file: Path, scope: Scope) -> Sequence[Node]:
    tree = read(file, scope.findings)
    if isinstance(tree, Refused):
        scope.complete = False
    if tree is None:
        return ()
    found = shapes.fields(tree, "a rule file", KEYS, scope.findings)
    for key, define in _DEFINE.items():
        _, node = found.get(key, (None, None))
        if node and not shapes.is_blank(node):
            define(node, scope)
    _, rules = found.get("rules", (None, None))
    if rules is None or shapes.is_blank(rules):
        return ()
    return shapes.items(rules, "'rules'", scope.findings)
