"""`tiewatch ingest` through the queue: real processes, and nothing set up by anybody."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting, rows
from tests.today import TODAY, todays_date
from worker.store import tables

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(90)


def tiewatch(folder: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, in the folder."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIEWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "worker", *arguments],
        cwd=folder,
        env=ours | {"PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        timeout=80,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def test_with_nothing_set_and_no_worker_running_one_runs_meanwhile(folder, embedded):
    today = todays_date()
    renewal = str(today + timedelta(30))
    (folder / "known.jsonl").write_text(
        lines(
            event("account", today, name="Acme", renewal_date=renewal),
            event("contact", today, contact="dana", title="CIO"),
        )
    )
    uses = [event("usage", today - timedelta(3), count=1) for _ in range(1_200)]
    (folder / "uses.jsonl").write_text(lines(*uses))
    piped = lines(meeting(today - timedelta(20)), "no json", uses[0]).encode()
    done = tiewatch(folder, "ingest", "--json", "known.jsonl", "uses.jsonl", "-", stdin=piped)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout) == {
        **{"received": 1_205, "applied": 1_203, "duplicates": 1, "quarantined": 1},
    }
    assert "standard input:2: quarantined ?/?: not valid JSON" in done.stderr
    assert "Acme: Renews in 30 days, last exec contact: 20 days ago" in done.stderr
    assert len(rows(embedded, tables.events)) == 1_203
    assert [row["state"] for row in rows(embedded, tables.messages)] == ["sent"]


def test_a_backfill_through_the_queue_sweeps_once_when_all_is_in(folder, embedded):
    given = lines(*(meeting(TODAY - timedelta(days)) for days in (200, 190))).encode()
    done = tiewatch(folder, "ingest", "--backfill", "--json", "-", stdin=given)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["applied"] == 2
    assert len(rows(embedded, tables.sweeps)) == 1
    assert [row["state"] for row in rows(embedded, tables.flags)] == ["pending"]
