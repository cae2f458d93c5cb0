"""`tiewatch ties`: who of both sides knows whom, and how well."""

from datetime import date
from typing import Any

from rich.text import Text

from worker.cli.access import a_date
from worker.cli.looking import ACCOUNTS, ON, read
from worker.cli.terminal import AsJson, out, print_json, table
from worker.core.stats import AccountStats, Workspace
from worker.core.ties import strength


def run(accounts: ACCOUNTS = None, on: ON = None, as_json: AsJson = False) -> None:
    """Show how strong the ties between reps and contacts are."""
    day = a_date(on)
    found, world = read(accounts, day)
    rows = [row for one in found for row in _ties_of(one, world, day)]
    if as_json:
        print_json(rows)
        return
    shape = table(*(column.replace("_", " ") for column in _COLUMNS))
    for row in rows:
        cells = (row[column] for column in _COLUMNS)
        shape.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))
    out.print(shape)


_COLUMNS = ("account", "rep", "contact", "name", "title", "score", "tier", "last_contact")


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
