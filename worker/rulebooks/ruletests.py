"""Runs rule tests: timelines under a frozen clock, with a sweep at each day's end.

Facts, rules and flags are those of `core`, fed from memory instead of tables.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from worker.core.additions import additions
from worker.core.conditions import Not
from worker.core.facts import FACTS, facts_of
from worker.core.flags import HEARD_OF, Flag, State, Verdict, judge
from worker.core.foregone import comparisons_in
from worker.core.freshness import NO_SOURCES, Sources, withheld
from worker.core.memory import Memory
from worker.core.reasons import fact_of, reasons
from worker.core.rules import CompiledRule, Mode, Rule, RuleSet, render
from worker.core.stats import AccountStats, Workspace
from worker.core.trends import PastScores
from worker.core.units import Value
from worker.rulebooks.rulebook import Rulebook
from worker.rulefiles import Problem
from worker.rulefiles.expectations import Expectation, Expected
from worker.rulefiles.problems import Findings
from worker.rulefiles.timelines import Timeline, timelines


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test; `failures` stand at the expectations that were not met."""

    test: Timeline
    failures: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A timeline after the sweep of a day: the facts, what each rule said, the live flags.

    `withheld` are the facts that rest on a stale source, with the reason. `stats` and `workspace`
    are what the facts come from; None before the account's first event.
    """

    on: date
    facts: Mapping[str, Value]
    withheld: Mapping[str, str]
    verdicts: Mapping[str, Verdict]
    live: Mapping[str, Flag]
    stats: AccountStats | None
    workspace: Workspace


def read(
    paths: Iterable[Path], rules: RuleSet, sources: Sources = NO_SOURCES
) -> tuple[list[Timeline], list[Problem]]:
    """The tests in these files and folders, and everything that is wrong with them.

    `sources` are those that a test may declare stale.
    """
    findings = Findings()
    modes = {rule.id: rule.mode for rule in rules.rules}
    found = [test for path in paths for test in timelines(path, modes, findings, sources)]
    return found, findings.sorted()


def run(test: Timeline, book: Rulebook) -> Result:
    """Let the days of a test pass, and compare what is then up with what is expected."""
    expected: dict[date, list[Expectation]] = {}
    for one in test.expectations:
        expected.setdefault(one.on, []).append(one)
    failures = [
        Problem(each.at.file, each.at.line, each.at.column, said)
        for day in days_of(test, book)
        for each in expected.get(day.on, ())
        for mode, flags in each.flags.items()
        if (said := _difference(flags, mode, day, book.rules, test.name)) is not None
    ]
    return Result(test, tuple(failures))


def uncovered(tests: Sequence[Timeline], rules: RuleSet) -> list[str]:
    """The ids of the rules that no test expects to be up."""
    expected = [
        flags for test in tests for each in test.expectations for flags in each.flags.values()
    ]
    tested = frozenset().union(*expected)
    return [rule.id for rule in rules.rules if rule.id not in tested]


def days_of(test: Timeline, book: Rulebook) -> Iterator[Day]:
    """Let the days of a test pass, from the first event to the last event or expectation."""
    memory, live, scores = Memory(), dict[str, Flag](), PastScores()
    days = [*test.events, *(each.on for each in test.expectations)]
    on = min(days)
    while on <= max(days):
        if on in test.events:
            memory.add(additions(test.events[on]))
        facts: Mapping[str, Value] = dict.fromkeys(FACTS)
        unknown = withheld(test.silences(on), book.metrics.facts)
        verdicts = {}
        stats, shared = None, memory.workspace(book.ties)
        workspace = replace(shared, withheld=unknown, health=book.health)
        if memory.knows(test.account):
            today = on.toordinal()
            stats = memory.stats(
                test.account, today, book.ties.half_life, book.reading, book.metrics
            )
            stats.past_health = scores.before(test.account, today)
            facts = facts_of(stats, today, workspace, book.metrics)
            scores.note(test.account, today, facts)
            for compiled in book.rules.compiled:
                id_ = compiled.rule.id
                verdict = verdicts[id_] = judge(compiled, live.pop(id_, None), facts, on)
                if verdict.after is not None and verdict.after.state is not State.RESOLVED:
                    live[id_] = verdict.after
        yield Day(on, facts, unknown, verdicts, dict(live), stats, workspace)
        on += timedelta(days=1)


def _difference(
    expected: Mapping[str, Expected], mode: Mode, day: Day, rules: RuleSet, name: str
) -> str | None:
    """What of a mode's flags is not as expected after a day, in lines, and why; None if all is."""
    of_mode = [compiled for compiled in rules.compiled if compiled.rule.mode is mode]
    ids = {compiled.rule.id for compiled in of_mode}
    up = {id_ for id_, flag in day.live.items() if flag.state in HEARD_OF and id_ in ids}
    wanted = {id_ for id_, one in expected.items() if one.state is not State.PENDING}
    lines = []
    for compiled in of_mode:
        id_ = compiled.rule.id
        if id_ in up and id_ not in expected:
            lines.append(f"{id_} is open: {_why(compiled.rule, day, rules)}")
        elif id_ in expected:
            lines += _unlike(compiled, expected[id_], day, rules)
    if not lines:
        return None
    shadow = " in shadow" if mode is Mode.SHADOW else ""
    return "\n".join(
        [
            f"{name}, after {day.on}: expected{shadow} {_listed(wanted)}, open {_listed(up)}",
            *(f"  {line}" for line in lines),
        ]
    )


def _unlike(compiled: CompiledRule, expected: Expected, day: Day, rules: RuleSet) -> Iterator[str]:
    """In what an expected flag is not what it should be."""
    rule = compiled.rule
    flag = day.live.get(rule.id)
    if flag is None:
        yield f"{rule.id} is not open: {_why_not(rule, day, rules)}"
        return
    if expected.state is None and flag.state not in HEARD_OF:
        yield (
            f"{rule.id} is not open yet: it holds since {flag.first_true_on}, and opens "
            f"on {flag.first_true_on + timedelta(days=rule.hold_for)} if it still does"
        )
    if expected.state is not None and flag.state is not expected.state:
        yield f"{rule.id} is {flag.state}, not {expected.state}"
    if expected.severity is not None and flag.severity is not expected.severity:
        yield f"{rule.id} has severity {flag.severity}, not {expected.severity}"
    if expected.title is not None:
        title = render(rule.title, day.facts, rules.thresholds)
        if title != expected.title:
            yield f'{rule.id} has the title "{title}", not "{expected.title}"'


def _why(rule: Rule, day: Day, rules: RuleSet) -> str:
    """Why a flag is up: its rule holds, or has not stopped holding for long enough."""
    flag, verdict = day.live[rule.id], day.verdicts.get(rule.id)
    if verdict is not None and verdict.outcome:
        return "; ".join(reasons(rule.when, day.facts, rules.thresholds))
    if flag.first_false_on is not None:
        resolves = flag.first_false_on + timedelta(days=rule.keep_open_for)
        return f"it does not hold since {flag.first_false_on}, and resolves on {resolves}"
    return f"whether it still holds is unknown: {_unknown(rule, day)}"


def _why_not(rule: Rule, day: Day, rules: RuleSet) -> str:
    verdict = day.verdicts.get(rule.id)
    if verdict is None:
        return "nothing is known of the account yet"
    if verdict.excepted and rule.except_when is not None:
        excepting = reasons(rule.except_when, day.facts, rules.thresholds)
        return f"the account is excepted: {'; '.join(excepting)}"
    if verdict.outcome is None:
        return f"whether it holds is unknown: {_unknown(rule, day)}"
    return "; ".join(reasons(Not(rule.when), day.facts, rules.thresholds))


def _unknown(rule: Rule, day: Day) -> str:
    looked_at = {compare.fact: fact_of(compare) for compare in comparisons_in(rule.when)}
    unknown = [fact for name, fact in looked_at.items() if day.facts[name] is None]
    because = {fact.name: day.withheld.get(fact.name, fact.unknown_when) for fact in unknown}
    return ", ".join(f"{name} ({why})" for name, why in because.items())


def _listed(ids: Collection[str]) -> str:
    return ", ".join(sorted(ids)) if ids else "nothing"
