"""Rule files to a rule set, or to everything that is wrong with them."""

from collections.abc import Sequence
from pathlib import Path

from worker.core.rules import RuleSet, rule_set
from worker.rulefiles import shapes, shared, thresholds
from worker.rulefiles.files import RESERVED_FILES, TIES, read, rule_files
from worker.rulefiles.nodes import Node, Refused
from worker.rulefiles.overrides import in_force
from worker.rulefiles.problems import Place, Problem, RuleFilesRefused, quoted
from worker.rulefiles.rules import rule
from worker.rulefiles.thresholds import Scope
from worker.rulefiles.ties import read_ties

KEYS = ("thresholds", "conditions", "rules")
_DEFINE = {"thresholds": thresholds.define, "conditions": shared.define}


def load(root: Path) -> RuleSet:
    """The rules of a directory.

    Raises RuleFilesRefused, with every problem in every file, unless there is none.
    """
    problems, rules = check([root])
    if rules is None:
        raise RuleFilesRefused(problems)
    return rules


def check(paths: Sequence[Path]) -> tuple[list[Problem], RuleSet | None]:
    """Every problem in these files and folders, and the rules if there is none.

    The files are read as one, in whatever order: thresholds and conditions serve all of them, and
    ids are unique among them.
    """
    scope = Scope()
    seen: set[Path] = set()
    nodes = [node for path in paths for node in _rules_at(path, seen, scope)]
    shared.read_conditions(scope)
    claims = [claim for node in nodes if (claim := rule(node, scope))]
    rules = in_force(claims, scope)
    thresholds.require_values(scope)
    if scope.findings:
        return scope.findings.sorted(), None
    return [], rule_set(rules, filter(None, scope.thresholds.values()))


def _rules_at(path: Path, seen: set[Path], scope: Scope) -> list[Node]:
    """The rules at a path, not yet looked into, once what its files define is in the scope."""
    before = len(scope.findings)
    files = rule_files(path, scope.findings)
    if len(scope.findings) > before:
        return []
    if path.is_dir():
        read_ties(path / TIES, scope.findings)
    elif path.name == TIES:
        read_ties(path, scope.findings)
        return []
    elif path.name in RESERVED_FILES:
        scope.findings.add(Place(str(path)), f"{quoted(path.name)} is no name for a rule file")
        return []
    nodes: list[Node] = []
    for file in files:
        if file.resolve() not in seen:
            seen.add(file.resolve())
            nodes += _rules_in(file, scope)
    if not nodes and path.is_dir() and len(scope.findings) == before:
        scope.findings.add(Place(str(path)), "no file here that ends in .yaml has a rule")
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
