"""How an explained rule is shown: as text for people, or as a document for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from worker.cli.terminal import out
from worker.core.explanation import Explained, Group, Kind, Limit
from worker.core.flags import Flag, State
from worker.core.units import NEVER, Value
from worker.explain import HORIZON, Explanation

_OUTCOMES = {True: "holds", False: "does not hold", None: "unknown"}
_STYLES = {True: "bold", False: "dim", None: "yellow"}
_GROUPS = {Kind.ALL: "all of these:", Kind.ANY: "at least one of these:", Kind.NOT: "not:"}
_INDENT = 2


def show(explanations: Sequence[Explanation]) -> None:
    """Each rule in a paragraph: its verdict, its conditions, its flag, and what lies ahead."""
    for number, one in enumerate(explanations):
        if number:
            out.print()
        out.print(_heading(one), soft_wrap=True)
        shape = Table.grid(padding=(0, 2, 0, 0))
        shape.add_column(no_wrap=True)
        _add_tree(shape, one.conditions)
        if one.except_when is not None:
            shape.add_row(Text("except when"), "")
            _add_tree(shape, one.except_when, depth=1)
        for label, text in _rows(one):
            shape.add_row(Text(label), Text(text))
        out.print(Padding(shape, (0, 0, 0, _INDENT)))


def _heading(one: Explanation) -> Text:
    verdict = _OUTCOMES[one.outcome]
    if one.excepted:
        verdict = "the account is excepted"
    return Text.assemble((one.rule.id, "bold"), f" on {one.account}, {one.on}: {verdict}")


def _add_tree(shape: Table, tree: Explained, depth: int = 0) -> None:
    outcome = Text(_OUTCOMES[tree.outcome], _STYLES[tree.outcome])
    shape.add_row(outcome, Padding(Text(_words(tree)), (0, 0, 0, _INDENT * depth)))
    if isinstance(tree, Group):
        for part in tree.parts:
            _add_tree(shape, part, depth + 1)


def _words(tree: Explained) -> str:
    if isinstance(tree, Group):
        return _GROUPS[tree.kind]
    because = tree.unknown_because
    return f"{tree.words}, not known: {because}" if because else tree.words


def _rows(one: Explanation) -> Iterator[tuple[str, str]]:
    """What is said under the conditions: (label, text)."""
    today = "" if one.on == one.flag_on else f" (as of {one.flag_on}: flags are kept as of now)"
    yield "flag", _flag(one.flag) + today
    if one.who:
        yield "people", "\n".join(one.who)
    if one.clears is not None:
        yield "clears if", one.clears
    if one.fires is not None:
        yield "fires if", one.fires
    yield "ahead", _ahead(one)


def _flag(flag: Flag | None) -> str:
    if flag is None:
        return "none"
    if flag.state is State.PENDING:
        return f"pending since {flag.first_true_on}"
    opened = f"open since {flag.opened_on}"
    if flag.shadow:
        opened += " in shadow, where nobody is told"
    if flag.state is not State.OPEN:
        opened = f"{flag.state}, {opened}"
    return opened + (f", clearing since {flag.first_false_on}" if flag.first_false_on else "")


def _ahead(one: Explanation) -> str:
    """The dates on which something changes if nothing happens, and what it changes to."""
    said = []
    if one.outcome_change is not None:
        on, outcome, excepted = one.outcome_change
        said.append(f"from {on} {_says(outcome, excepted)}")
    if one.flag_change is not None:
        said.append(f"on {one.flag_change.on} its flag {_becomes(one.flag_change.flag)}")
    if not said:
        return f"if nothing happens, nothing changes within {HORIZON} days"
    return f"if nothing happens, {', and '.join(said)}"


def _says(outcome: bool | None, excepted: bool) -> str:
    if excepted:
        return "the account is excepted"
    if outcome is None:
        return "it is unknown whether the rule holds"
    return f"the rule {_OUTCOMES[outcome]}"


def _becomes(flag: Flag | None) -> str:
    if flag is None:
        return "is gone, without having opened"
    if flag.state is State.RESOLVED:
        return "resolves"
    if flag.first_false_on is not None:
        return "begins to clear"
    return "opens" if flag.state is State.OPEN else f"is {flag.state}"


def document(one: Explanation) -> dict[str, Any]:
    """The explanation as it is in JSON. Days without end are null, with `never` beside them."""
    outcome, flag = one.outcome_change, one.flag_change
    return {
        "account": one.account,
        "on": one.on.isoformat(),
        "rule": one.rule.id,
        "outcome": one.outcome,
        "excepted": one.excepted,
        "flag": None if one.flag is None else _flag_json(one.flag),
        "conditions": _tree_json(one.conditions),
        "except_when": None if one.except_when is None else _tree_json(one.except_when),
        "who": list(one.who),
        "clears": one.clears,
        "fires": one.fires,
        "outcome_changes_on": None if outcome is None else outcome.on.isoformat(),
        "flag_changes_on": None if flag is None else flag.on.isoformat(),
    }


def _flag_json(flag: Flag) -> dict[str, Any]:
    dates = {
        "first_true_on": flag.first_true_on,
        "opened_on": flag.opened_on,
        "first_false_on": flag.first_false_on,
    }
    return {
        "state": str(flag.state),
        "shadow": flag.shadow,
        **{name: None if day is None else day.isoformat() for name, day in dates.items()},
    }


def _tree_json(tree: Explained) -> dict[str, Any]:
    if isinstance(tree, Group):
        parts = [_tree_json(part) for part in tree.parts]
        return {"kind": str(tree.kind), "outcome": tree.outcome, "parts": parts}
    return {
        "kind": "compare",
        "fact": tree.fact,
        **_value_json(tree.value),
        "comparison": tree.comparison.value,
        "limits": [_limit_json(each) for each in tree.limits],
        "outcome": tree.outcome,
    }


def _limit_json(limit: Limit) -> dict[str, Any]:
    named = {} if limit.threshold is None else {"threshold": limit.threshold}
    return _value_json(limit.value) | named


def _value_json(value: Value) -> dict[str, Any]:
    return {"value": None, "never": True} if value == NEVER else {"value": value}
