"""How an explained rule is shown: as text for people, or as a document for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from worker.cli.terminal import out
from worker.core.explanation import Explained, Group, Kind, Limit
from worker.core.flags import Flag
from worker.core.units import NEVER, Value
from worker.explaining.explain import Explanation
from worker.explaining.words import OUTCOMES, ahead, standing

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
    verdict = OUTCOMES[one.outcome]
    if one.excepted:
        verdict = "the account is excepted"
    return Text.assemble((one.rule.id, "bold"), f" on {one.account}, {one.on}: {verdict}")


def _add_tree(shape: Table, tree: Explained, depth: int = 0) -> None:
    outcome = Text(OUTCOMES[tree.outcome], _STYLES[tree.outcome])
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
    yield "flag", standing(one.flag) + today
    if one.who:
        yield "people", "\n".join(one.who)
    if one.clears is not None:
        yield "clears if", one.clears
    if one.fires is not None:
        yield "fires if", one.fires
    yield "ahead", ahead(one)


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
