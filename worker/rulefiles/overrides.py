"""Which rule is in force where two have the same id: the one with `override: true`.

A rule that ships gives way to any other of its id, so that no upgrade stops what worked before.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from worker.core.rules import Rule
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.thresholds import Scope


class Claim(NamedTuple):
    """A rule that claims an id, at the place of that id.

    `override` is None if what it says is wrong, `rule` if anything in the rule is. A rule that is
    `off` is not in force, and keeps those of its id that it overrides from being so.
    """

    id: str
    at: Place
    override: bool | None
    rule: Rule | None
    off: bool = False


def decided(claims: Iterable[Claim], scope: Scope) -> list[Claim]:
    """The claim that stands for each id; those that collide are noted."""
    by_id: dict[str, list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.at):
        by_id[claim.id].append(claim)
    plain = [name for name, found in by_id.items() if any(not one.override for one in found)]
    chosen = (_chosen(name, found, plain, scope) for name, found in by_id.items())
    return [claim for claim in chosen if claim]


def _chosen(name: str, claims: list[Claim], plain: list[str], scope: Scope) -> Claim | None:
    overrides = [claim for claim in claims if claim.override]
    shipped, rules = list[Claim](), list[Claim]()
    for claim in claims:
        if claim.override is False:
            (shipped if claim.at.file in scope.shipped else rules).append(claim)
    if shipped and rules:
        told = f"rule {quoted(name)} comes with tiewatch too, and this one is in force"
        advice = "add 'override: true' if that is meant, else give it another id"
        scope.findings.warn(rules[0].at, f"{told}: {advice}")
    for claim in rules[1:]:
        message = f"rule {quoted(name)} is also in {_told(rules[0])}"
        scope.findings.add(claim.at, message)
    for claim in overrides[1:]:
        message = f"rule {quoted(name)} is overridden already, in {_told(overrides[0])}"
        scope.findings.add(claim.at, message)
    # What it overrides may be in a file that could not be read.
    if len(overrides) == len(claims) and scope.complete:
        nearest = scope.findings.nearest(name, plain)
        hint = f"; did you mean {quoted(nearest)}?" if nearest else ""
        message = f"rule {quoted(name)} overrides nothing: no other file has a rule of that id"
        scope.findings.add(overrides[0].at, message + hint)
    return next(iter(overrides or rules or shipped), None)


def _told(claim: Claim) -> str:
    return f"{claim.at.file}:{claim.at.line}"
