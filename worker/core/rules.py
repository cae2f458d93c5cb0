"""Rules: what admins want to hear of, as read from rule files, and the words of their alerts."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from worker.core.catalogue import Fact
from worker.core.conditions import (
    Condition,
    Facts,
    Outcome,
    Threshold,
    Thresholds,
    compiled,
    facts_in,
)
from worker.core.facts import FACTS
from worker.core.units import NEVER, shown

__all__ = [
    "LONGEST_LINK",
    "PLACEHOLDER",
    "Kind",
    "Mode",
    "Recipient",
    "RecipientKind",
    "Rule",
    "RuleSet",
    "Severity",
    "Threshold",
    "is_link",
    "render",
    "rule_set",
]


class Severity(StrEnum):
    """How much a flag matters; compare by `rank`, since text sorts otherwise."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return list(Severity).index(self)


class Mode(StrEnum):
    """Whether anyone is told about the flags of a rule in force."""

    LIVE = "live"
    SHADOW = "shadow"


class Kind(StrEnum):
    """What a rule is about: a customer who may go, or one who may buy more."""

    RISK = "risk"
    GROWTH = "growth"


class RecipientKind(StrEnum):
    """Whom a rule can name to be told, by what a rule file calls them."""

    OWNER = "owner"
    OWNERS_MANAGER = "owner's manager"
    CHANNEL = "channel"
    REP = "rep"


class Recipient(NamedTuple):
    """Someone to be told: `name` is that of a channel, without its #, or the id of a rep."""

    kind: RecipientKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it holds, how long before its flag moves (in days), and what it then says.

    A true `except_when` takes the rule out; a false or unknown one does not. `playbook` is a link;
    `tags` and `notify` are sorted, and without any `notify` it is the owner. `remind_every` is in
    days, None if the rule does not say.
    """

    id: str
    title: str
    severity: Severity
    when: Condition
    advice: str | None = None
    hold_for: int = 0
    keep_open_for: int = 0
    except_when: Condition | None = None
    playbook: str | None = None
    tags: tuple[str, ...] = ()
    mode: Mode = Mode.LIVE
    notify: tuple[Recipient, ...] = ()
    remind_every: int | None = None
    kind: Kind = Kind.RISK


class CompiledRule(NamedTuple):
    """A rule with its conditions as functions of the facts; `excepted` is None without any."""

    rule: Rule
    holds: Outcome
    excepted: Outcome | None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force, in order of id, with the thresholds that they name.

    `facts` are the names of those that the rules look at or speak of. `digest` is 16 hexadecimal
    digits that are equal for rule sets that mean the same, however their files are laid out,
    commented and ordered. `off` are the ids of rules that are switched off: nothing else here
    knows of them. `includes_shipped` says whether the rules that ship were read beside an admin's.
    """

    rules: tuple[Rule, ...]
    thresholds: Mapping[str, Threshold]
    compiled: tuple[CompiledRule, ...] = field(compare=False)
    facts: frozenset[str]
    digest: str
    off: frozenset[str] = frozenset()
    includes_shipped: bool = False

    @property
    def growth(self) -> frozenset[str]:
        """The ids of the rules that are of growth."""
        return frozenset(one.id for one in self.rules if one.kind is Kind.GROWTH)


def rule_set(
    rules: Iterable[Rule],
    thresholds: Iterable[Threshold],
    off: Iterable[str] = (),
    own: Collection[Fact] = (),
) -> RuleSet:
    """These rules and thresholds, in order and with their digest; `off` are ids of others, `own`
    the admins' own facts, in order of name."""
    ordered = tuple(sorted(rules, key=lambda rule: rule.id))
    switched_off = frozenset(off)
    named = {t.name: t for t in sorted(thresholds, key=lambda threshold: threshold.name)}
    named |= {fact.name: Threshold(fact.name, fact.unit, {}, is_fact=True) for fact in own}
    meaning = [
        *map(repr, ordered),
        *(repr((t.name, t.unit, sorted(t.by_segment.items()), t.default)) for t in named.values()),
        *sorted(switched_off),
    ]
    digest = hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16]
    speakable = {*FACTS, *(fact.name for fact in own)}
    facts: frozenset[str] = frozenset().union(*(_facts_of(one, speakable) for one in ordered))
    functions = tuple(_compiled(rule, named) for rule in ordered)
    return RuleSet(ordered, named, functions, facts, digest, switched_off)


def _facts_of(rule: Rule, facts: Set[str]) -> frozenset[str]:
    told = PLACEHOLDER.finditer(f"{rule.title} {rule.advice}")
    spoken_of = {each["name"] for each in told} & facts
    excepted = frozenset() if rule.except_when is None else facts_in(rule.except_when)
    return facts_in(rule.when) | excepted | spoken_of


def _compiled(rule: Rule, thresholds: Thresholds) -> CompiledRule:
    excepted = None if rule.except_when is None else compiled(rule.except_when, thresholds)
    return CompiledRule(rule, compiled(rule.when, thresholds), excepted)


LONGEST_LINK = 500

_LINK = re.compile(r'https?://[^\s/?#<>"{}|\\^`][^\s<>"{}|\\^`]*')


def is_link(text: str) -> bool:
    """Whether the text is one http or https link, without what could end it early in a message."""
    return len(text) <= LONGEST_LINK and text.isprintable() and bool(_LINK.fullmatch(text))


PLACEHOLDER = re.compile(r"\{ *(?P<name>[^{} ](?:[^{}]*[^{} ])?|) *\}(?P<ago> ago\b)?")
"""A fact or threshold between braces, in a title or advice."""


def render(text: str, facts: Facts, thresholds: Thresholds) -> str:
    """The text with each `{fact}` and `{threshold name}` filled in, with its unit.

    A threshold shows its value for the account's segment. What never happened, or is unknown, is
    not `ago`: `{days_since_contact} ago` becomes `22 days ago` or `never`.
    """

    def fill(placeholder: re.Match[str]) -> str:
        name, ago = placeholder["name"], placeholder["ago"] or ""
        if name in FACTS:
            value, unit = facts[name], FACTS[name].unit
        else:
            one = thresholds[name]
            value, unit = one.value_for(facts["segment"]), one.unit
            if one.is_fact:
                value = facts[name]
        return shown(value, unit) + ("" if value in (None, NEVER) else ago)

    return PLACEHOLDER.sub(fill, text)
