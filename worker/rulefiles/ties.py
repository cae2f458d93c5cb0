"""`ties.yaml`: how fast ties fade, and from which score on they count as strong."""

from dataclasses import astuple
from pathlib import Path

from worker.core.ties import TieSettings
from worker.core.units import Unit
from worker.rulefiles import shapes
from worker.rulefiles.files import TIES, read
from worker.rulefiles.nodes import Node
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.quantities import complaint, quantity

KEYS = ("half_life", "tiers")
TIERS = ("weak", "moderate", "strong", "very_strong")

_LONGEST_NUMBER = 40
_LONGEST_HALF_LIFE = 3_650


def load_ties(root: Path) -> TieSettings:
    """The tie settings of a rules directory, the defaults for whatever it does not set.

    Raises RuleFilesRefused, with every problem, if its ties.yaml is wrong.
    """
    findings = Findings()
    settings = read_ties(root / TIES, findings)
    findings.require_none()
    return settings


def read_ties(file: Path, findings: Findings) -> TieSettings:
    """The settings of one file, the defaults where it is missing or wrong."""
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return TieSettings()
    found = shapes.fields(tree, "a ties file", KEYS, findings)
    half_life, *bounds = astuple(TieSettings())
    if "half_life" in found:
        half_life = _half_life(found["half_life"][1], findings) or half_life
    if "tiers" in found:
        key, node = found["tiers"]
        given = shapes.fields(node, "'tiers'", TIERS, findings)
        for place, tier in enumerate(TIERS):
            if tier in given:
                bounds[place] = _bound(tier, given[tier][1], findings) or bounds[place]
        if sorted(set(bounds)) != bounds:
            order = " < ".join(
                f"{tier} {bound:g}" for tier, bound in zip(TIERS, bounds, strict=True)
            )
            findings.add(key.at, f"each tier must begin above the one before it, unlike {order}")
    return TieSettings(half_life, *bounds)


def _half_life(node: Node, findings: Findings) -> int | None:
    """In days."""
    text = shapes.text(node, "'half_life'", _LONGEST_NUMBER, findings)
    if text is None:
        return None
    wrong = complaint("half_life", Unit.DAYS, text)
    days, _ = quantity(text) or (0, Unit.DAYS)
    if not wrong and not 1 <= days <= _LONGEST_HALF_LIFE:
        wrong = f"half_life is 1 to {_LONGEST_HALF_LIFE:,} days, not {quoted(text)}"
    if wrong:
        findings.add(node.at, wrong)
        return None
    return int(days)


def _bound(tier: str, node: Node, findings: Findings) -> float | None:
    text = shapes.text(node, quoted(tier), _LONGEST_NUMBER, findings)
    if text is None:
        return None
    score, unit = quantity(text) or (0, Unit.COUNT)
    if unit is not Unit.COUNT or not 0 < score < 100:
        findings.add(node.at, f"{tier} is a score above 0 and below 100, not {quoted(text)}")
        return None
    return score
