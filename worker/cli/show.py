"""`tiewatch facts`, `ties` and `flags`: what is known, to look at or to process."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text
from sqlalchemy import Connection

from worker import freshness, healths, runtime
from worker.alerting import words_now
from worker.cli.access import a_date, database
from worker.cli.terminal import AsJson, Refused, out, print_json, table
from worker.core.facts import FACTS, Fact, facts_of
from worker.core.flags import State, evaluation_date
from worker.core.listing import documented, markdown
from worker.core.reading import EVERYTHING
from worker.core.stats import AccountStats, Workspace
from worker.core.ties import strength
from worker.core.units import NEVER, Value, shown
from worker.rulebook import Rulebook
from worker.store import flag_lists, stats, sweeps
from worker.store.database import reading, writing
from worker.store.ties import calibrate

ON = Annotated[str | None, typer.Option(help="As of the end of this date, from events up to then.")]
ACCOUNTS = Annotated[
    list[str] | None, typer.Argument(help="Account ids; none named means all of them.")
]
CHUNK = 1_000

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


def facts(
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
    found = _read(accounts, day, withhold=on is None, change=True)
    withheld = found[0][1].withheld if found else {}
    computed = [
        (one.account, facts_of(one, day.toordinal(), world, metrics)) for one, world in found
    ]
    if as_json:
        print_json([_facts_json(account, day, values, withheld) for account, values in computed])
    elif len(computed) == 1:
        _print_account(*computed[0], withheld)
    else:
        shape = table("account", *OVERVIEW.values())
        for account, values in computed:
            shape.add_row(Text(account), *(_cell(name, values[name], "-") for name in OVERVIEW))
        out.print(shape)


def ties(accounts: ACCOUNTS = None, on: ON = None, as_json: AsJson = False) -> None:
    """Show how strong the ties between reps and contacts are."""
    day = a_date(on)
    rows = [row for one, world in _read(accounts, day) for row in _ties_of(one, world, day)]
    if as_json:
        print_json(rows)
        return
    shape = table("account", "rep", "contact", "name", "title", "score", "tier", "last contact")
    for row in rows:
        shape.add_row(
            *(
                Text("" if row[name] is None else str(row[name]))
                for name in (
                    "account",
                    "rep",
                    "contact",
                    "name",
                    "title",
                    "score",
                    "tier",
                    "last_contact",
                )
            )
        )
    out.print(shape)


def flags(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only those in this state, such as open or resolved; or all."),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Those of rules in shadow, which nobody is told of.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the flags that are up: pending, open, acknowledged, snoozed or dismissed."""
    known = [str(one) for one in State]
    if state not in (None, "all", *known):
        raise Refused(f"There is no state {state!r}: choose one of {', '.join(known)}, or all.")
    states = flag_lists.LIVE if state is None else known if state == "all" else [state]
    with reading(database()) as db:
        rows = [dict(row) for row in flag_lists.listed(db, account, states, shadow)]
        _say_as_of_now(db, rows)
    if as_json:
        print_json([_flag_json(row) for row in rows])
        return
    shape = table("account", "rule", "severity", "state", "opened", "title")
    for row in rows:
        opened = "" if row["opened_on"] is None else str(row["opened_on"])
        shape.add_row(
            *map(
                Text,
                (row["account"], row["rule"], row["severity"], row["state"], opened, row["title"]),
            )
        )
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


def _read(
    accounts: Sequence[str] | None, on: date, *, withhold: bool = False, change: bool = False
) -> list[tuple[AccountStats, Workspace]]:
    """The stats of these accounts, or of all with an event by then, sorted by id.

    With `withhold` the workspace says which facts cannot be told, since a source is silent, with
    `change` the stats have what the health score was 30 days before.
    """
    engine, book = database(), runtime.rulebook()
    settings = book.ties
    with writing(engine) as db:
        calibrate(db, settings.half_life)
    with reading(engine) as db:
        world = standings.workspace_on(db, book, on, withhold=withhold)
        ids = sorted(set(accounts)) if accounts else sorted(stats.account_ids(db, on))
        found = _in_chunks(db, ids, on, world, book, change=change)
    missing = sorted(set(accounts or ()) - found.keys())
    if missing:
        raise Refused(f"There is no account {missing[0]!r}: 'tiewatch facts' lists all of them.")
    return [(found[account], world) for account in ids]


def _in_chunks(
    db: Connection,
    ids: Sequence[str],
    on: date,
    world: Workspace,
    book: Rulebook,
    *,
    change: bool,
) -> dict[str, AccountStats]:
    found: dict[str, AccountStats] = {}
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        read = stats.read(db, some, on, world.ties.half_life, EVERYTHING, book.metrics)
        if change and world.health.parts:
            past = healths.past_scores(db, list(read), on, world, book.metrics, keep=False)
            for account, score in past.items():
                read[account].past_health = score
        found |= read
    return found


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


def _ties_of(one: AccountStats, world: Workspace, on: date) -> list[dict[str, Any]]:
    people = {person.contact: person for person in one.contacts}
    rows = []
    for tie in sorted(one.ties, key=lambda tie: (tie.rep, tie.contact)):
        if tie.rep in world.gone_reps:  # their ties count nowhere
            continue
        of = strength(tie.state, on.toordinal(), world.ties)
        person = people[tie.contact]
        two_way = tie.state.two_way_day
        rows.append(
            {
                "account": one.account,
                "rep": tie.rep,
                "contact": tie.contact,
                "name": person.name,
                "title": person.title,
                "score": round(of.score, 1),
                "tier": str(of.tier),
                "last_contact": date.fromordinal(tie.state.day).isoformat(),
                "last_two_way": None if two_way is None else date.fromordinal(two_way).isoformat(),
                "active_days": tie.state.active_days,
                "left": bool(person.gone),
            }
        )
    return rows


def _say_as_of_now(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give flags that are up the words of today: what they were stored with has gone on."""
    on = evaluation_date(sweeps.last_sweep_on(db), runtime.clock())
    up = {(row["account"], row["rule"]) for row in rows if row["state"] in flag_lists.LIVE}
    current = words_now(db, up, runtime.rulebook(), on)
    for row in rows:
        row["reasons"] = msgspec.json.decode(row["reasons"])
        if row["state"] in flag_lists.LIVE and (row["account"], row["rule"]) in current:
            row["title"], row["reasons"] = current[row["account"], row["rule"]]


def _flag_json(row: dict[str, Any]) -> dict[str, Any]:
    dates = ("first_true_on", "opened_on", "resolved_on")
    return {
        "account": row["account"],
        "rule": row["rule"],
        "severity": row["severity"],
        "state": row["state"],
        **{name: None if row[name] is None else row[name].isoformat() for name in dates},
        "assignee": row["assignee"],
        "quiet_until": None if row["quiet_until"] is None else row["quiet_until"].isoformat(),
        "title": row["title"],
        "reasons": list(row["reasons"]),
    }
