"""The pipeline in a few words: events as senders write them, days swept, and what is stored."""

from collections import defaultdict
from datetime import UTC, date, datetime, time
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, Table, select

from worker.core.alerts import Alert
from worker.evaluating import sweeps
from worker.evaluating.sweeps import Swept
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook, read_rulebook
from worker.store import sweeps as sweeps_store
from worker.store import tables
from worker.store.database import reading
from worker.tasks import LEASE

Raw = dict[str, Any]

_number = count(1)


def event(type_: str, day: date, *, account: str | None = "acme", **data: Any) -> Raw:
    """An event at noon UTC of that day, with an id of its own."""
    subject = {} if account is None else {"subject": account}
    head = {"id": f"e{next(_number):06}", "source": "crm", "type": type_}
    return head | subject | {"time": f"{day}T12:00:00Z", "data": data}


def meeting(day: date, contact: str = "dana", rep: str = "sam", account: str = "acme") -> Raw:
    """An hour of the two together: three of them within days make a strong tie."""
    people = {"reps": [rep], "contacts": [contact]}
    return event("interaction", day, account=account, channel="meeting", **people)


def at(day: date, hour: int = 12) -> datetime:
    """That hour of the day, UTC."""
    return datetime.combine(day, time(hour), UTC)


def rulebook(folder: Path, text: str, name: str = "rules") -> Rulebook:
    """The rules of one file with this text."""
    root = folder / name
    root.mkdir(exist_ok=True)
    (root / "all.yaml").write_text(text, encoding="utf-8")
    return read_rulebook(root)


def take_in(engine: Engine, book: Rulebook, day: date, *events: object) -> BatchResult:
    """A batch of its own, received at 13:00 UTC of that day."""
    return ingest(engine, Batch(f"b{next(_number)}", events), book, at(day, 13))


def sweep(engine: Engine, book: Rulebook, day: date, slot: str | None = None) -> Swept:
    """Sweep all shards at the day's end; the sum of what was done."""
    now = at(day, 23)
    id_ = sweeps.open_sweep(engine, "test", slot or f"s{next(_number)}", day, now)
    assert id_ is not None
    return sweep_shards(engine, book, id_, now)


def sweep_shards(engine: Engine, book: Rulebook, id_: int, now: datetime) -> Swept:
    """Sweep the shards of a sweep that has been begun."""
    with reading(engine) as db:
        shards = [s for of, s in sweeps_store.waiting(db, now, sweeps.MAX_STARTS) if of == id_]
    done = [sweeps.sweep_shard(engine, id_, shard, book, now, LEASE) for shard in shards]
    parts = [one for one in done if one is not None]
    return Swept(
        sum(one.accounts for one in parts),
        sum(one.opened for one in parts),
        sum(one.resolved for one in parts),
        sum(one.alerts for one in parts),
    )


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """The rows of a table, in order of its primary key."""
    with reading(engine) as db:
        found = db.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in found]


def alerts(engine: Engine) -> list[Alert]:
    """What the outbox has ever been given, in order."""
    return [msgspec.json.decode(row["alert"], type=Alert) for row in rows(engine, tables.outbox)]


def flags(engine: Engine, *states: str) -> dict[str, list[str]]:
    """The rules that have a flag on each account, in any of the states, or in any live one."""
    wanted = states or ("pending", "open")
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows(engine, tables.flags):
        if row["state"] in wanted:
            found[row["account"]].append(row["rule"])
    return {account: sorted(rules) for account, rules in sorted(found.items())}
