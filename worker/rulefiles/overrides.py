"""Which rule is in force where two have the same id: the one with `override: true`."""

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
    shipped = [name for name, found in by_id.items() if any(not one.override for one in found)]
    chosen = (_chosen(name, found, shipped, scope) for name, found in by_id.items())
    return [claim for claim in chosen if claim]


def _chosen(name: str, claims: list[Claim], shipped: list[str], scope: Scope) -> Claim | None:
    rules = [claim for claim in claims if claim.override is False]
    overrides = [claim for claim in claims if claim.override]
    for claim in rules[1:]:
        message = f"rule {quoted(name)} is also in {_told(rules[0])}"
        scope.findings.add(claim.at, message)
    for claim in overrides[1:]:
        message = f"rule {quoted(name)} is overridden already, in {_told(overrides[0])}"
        scope.findings.add(claim.at, message)
    # What it overrides may be in a file that could not be read.
    if len(overrides) == len(claims) and scope.complete:
        nearest = scope.findings.nearest(name, shipped)
        hint = f"; did you mean {quoted(nearest)}?" if nearest else ""
        message = f"rule {quoted(name)} overrides nothing: no other file has a rule of that id"
        scope.findings.add(overrides[0].at, message + hint)
    return next(iter(overrides or rules), None)


def _told(claim: Claim) -> str:
    return f"{claim.at.file}:{claim.at.line}"
