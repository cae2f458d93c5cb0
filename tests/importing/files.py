"""Files as a test writes them, and the events that come out of them."""

import csv
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from worker.core.moments import Writing
from worker.importing.files import File
from worker.importing.kinds import choose
from worker.importing.reading import records_of
from worker.importing.taking import Taken, take
from worker.rulefiles import load_capture
from worker.shipped import rules_dir

SHIPPED = load_capture(rules_dir() / "capture.yaml").imports
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CHANGED = datetime(2026, 5, 31, tzinfo=UTC)


def table(file: Path, *records: dict[str, Any]) -> Path:
    """A CSV file with these rows; columns that a row does not name are blank."""
    names = list(dict.fromkeys(name for record in records for name in record))
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(records)
    return file


def document(file: Path, content: Any) -> Path:
    """A JSON file."""
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def taken(file: Path, name: str | None = None, timezone: str = "UTC") -> tuple[str, list[Taken]]:
    """What a file is taken for, and what becomes of its rows."""
    with ExitStack() as held:
        records = records_of(file, held)
        mapping = choose(records.columns, SHIPPED, name).mapping
        of = File(
            file.name,
            mapping,
            mapping.source,
            Writing(ZoneInfo(timezone)),
            CHANGED,
            records.columns,
            records.numbered,
        )
        return mapping.name, [take(row, of, NOW) for row in records.rows]


def events(file: Path, name: str | None = None) -> tuple[str, list[dict[str, Any]]]:
    """What a file is taken for, and its events, which must be without a problem."""
    mapping, rows = taken(file, name)
    assert [fault for row in rows for fault in row.faults] == []
    return mapping, [event for row in rows for event in row.events]


def short(event: dict[str, Any]) -> tuple[str, str | None, str, dict[str, Any]]:
    """(type, account, day, data) of an event."""
    return event["type"], event.get("subject"), event["time"][:10], event["data"]
