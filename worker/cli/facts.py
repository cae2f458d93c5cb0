"""`tiewatch facts`: what rules are evaluated on, and the catalogue of it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer
from rich.text import Text

from worker.cli.access import a_date
from worker.cli.looking import ACCOUNTS, ON, read
from worker.cli.terminal import AsJson, out, print_json, table
from worker.core.catalogue import Fact
from worker.core.facts import FACTS, facts_of
from worker.core.listing import documented, markdown
from worker.core.units import NEVER, Value, shown
from worker.running import runtime

OVERVIEW = {
    "segment": "segment",
    "mrr": "mrr",
    "days_to_renewal": "renewal in",
    "days_since_exec_contact": "exec contact",
    "strong_exec_ties": "exec ties",
    "strong_user_ties": "user ties",
    "adoption": "adoption",
    "usage_change": "usage",
}
"""The facts that fit beside one another when many accounts are listed, and their headings."""


def run(
    accounts: ACCOUNTS = None,
    on: ON = None,
    list_: Annotated[
        bool, typer.Option("--list", help="The catalogue: what every fact means, no values.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="With --list: as docs/facts.md has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the facts of accounts: what the rules are evaluated on."""
    if list_:
        _list(as_json, as_markdown)
        return
    day, metrics = a_date(on), runtime.rulebook().metrics
    found, world = read(accounts, day, withhold=on is None, change=True)
    withheld = world.withheld
    computed = [(one.account, facts_of(one, day.toordinal(), world, metrics)) for one in found]
    if as_json:
        print_json([_facts_json(account, day, values, withheld) for account, values in computed])
    elif len(computed) == 1:
        _print_account(*computed[0], withheld)
    else:
        shape = table("account", *OVERVIEW.values())
        for account, values in computed:
            shape.add_row(Text(account), *(_cell(name, values[name], "-") for name in OVERVIEW))
        out.print(shape)


def _list(as_json: bool, as_markdown: bool) -> None:
    """The catalogue, without any database; with the admins' own facts, but in the documentation."""
    if as_markdown:
        print(markdown(FACTS.values()))
        return
    known = [*FACTS.values(), *(own.fact for own in runtime.rulebook().metrics.own.values())]
    if as_json:
        print_json([documented(fact) for fact in known])
        return
    shape = table("fact", "unit", "what it is", "unknown when")
    for fact in known:
        told = f"{fact.meaning}. {fact.formula}" if fact.formula else fact.meaning
        shape.add_row(fact.name, str(fact.unit), Text(told), Text(fact.unknown_when, "dim"))
    out.print(shape)


def _facts_json(
    account: str, on: date, values: dict[str, Value], withheld: Mapping[str, str]
) -> dict[str, Any]:
    document = {
        "account": account,
        "on": on.isoformat(),
        "facts": {name: None if value == NEVER else value for name, value in values.items()},
        "never": [name for name, value in values.items() if value == NEVER],
        "unknown": [name for name, value in values.items() if value is None],
    }
    return document | ({"withheld": dict(withheld)} if withheld else {})


def _print_account(account: str, values: dict[str, Value], withheld: Mapping[str, str]) -> None:
    out.print(Text(account, style="bold"))
    shape = table("fact", "value", "what it means")
    for name, value in values.items():
        fact = _fact(name)
        meaning = fact.meaning
        if value is None:
            meaning += f" (unknown: {withheld.get(name, fact.unknown_when)})"
        shape.add_row(name, _cell(name, value), Text(meaning, style="dim"))
    out.print(shape)


def _cell(name: str, value: Value, unknown: str = "unknown") -> Text:
    return Text(unknown, "dim") if value is None else Text(shown(value, _fact(name).unit))


def _fact(name: str) -> Fact:
    return FACTS.get(name) or runtime.rulebook().metrics.own[name].fact
