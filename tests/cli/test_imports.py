"""`tiewatch import`: what files of other products lead to, and what is said of the rest."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.importing.files import table
from tests.pipeline import rows
from tests.today import NOW, TODAY, clock
from worker.store import tables
from worker.store.database import reading

ROOT = Path(__file__).parents[2]
QUIET = NOW - timedelta(20)


def company(number: int = 1, **more: str) -> dict[str, str]:
    """A row of HubSpot's companies."""
    return {
        "Record ID": str(number),
        "Company name": f"Company {number}",
        "Company owner": "Sam Lee",
        "Create Date": "2024-02-01 09:30",
        "Last Modified Date": f"{QUIET:%Y-%m-%d} 10:00",
        "Renewal Date": f"{NOW + timedelta(60):%Y-%m-%d}",
        **more,
    }


def contact(number: int, company: int | str = 1, title: str = "CIO") -> dict[str, str]:
    return {
        "Record ID": f"c{number}",
        "First Name": "Dana",
        "Last Name": f"Ruiz {number}",
        "Job Title": title,
        "Associated Company IDs": str(company),
        "Last Modified Date": f"{QUIET:%Y-%m-%d} 10:00",
    }


def meeting(
    number: int, company: str = "1", contacts: str = "c1", days: int = 20
) -> dict[str, str]:
    return {
        "Record ID": f"m{number}",
        "Meeting name": "Review",
        "Meeting start time": f"{NOW - timedelta(days):%Y-%m-%d} 08:00",
        "Meeting outcome": "Completed",
        "Activity assigned to": "Sam Lee",
        "Associated Contact IDs": contacts,
        "Associated Company IDs": company,
    }


def test_a_crm_becomes_accounts_with_facts_and_one_sweep_and_everything_twice_counts_once(
    tiewatch, folder, embedded
):
    files = [
        table(folder / "companies.csv", company()).name,
        table(folder / "contacts.csv", contact(1), contact(2, title="Analyst")).name,
        # Whose account it is, only the contact says.
        table(
            folder / "meetings.csv",
            meeting(1),
            meeting(2, company="", days=10),
            meeting(3, days=-9),
        ).name,
    ]
    done = tiewatch("import", "--direct", "--json", "--timezone", "UTC", *files[::-1])
    assert done.status == 0, done.err
    assert done.json["applied"] == 6
    assert (done.json["waiting"], done.json["quarantined"]) == (0, 0)
    assert done.json["left_out"] == {"it is still to come": 1}
    assert "companies.csv: taken for hubspot-companies, since it has the columns" in done.err
    assert len(rows(embedded, tables.sweeps)) == 1
    [facts] = tiewatch("facts", "1", "--json").json
    assert facts["facts"]["owner"] == "Sam Lee"
    assert facts["facts"]["days_to_renewal"] == 60
    assert facts["facts"]["days_since_exec_contact"] == 10
    again = tiewatch("import", "--direct", "--json", "--timezone", "UTC", *files)
    assert (again.status, again.json["applied"], again.json["duplicates"]) == (0, 0, 6)


def test_a_later_export_of_the_same_rows_says_what_has_changed(tiewatch, folder):
    table(folder / "a.csv", company())
    tiewatch("import", "--direct", "--timezone", "UTC", "a.csv")
    later = {"Last Modified Date": f"{NOW - timedelta(1):%Y-%m-%d} 10:00"}
    table(folder / "b.csv", company(**later, **{"Company owner": "Kim Ono"}))
    done = tiewatch("import", "--direct", "--json", "--timezone", "UTC", "b.csv")
    assert (done.json["applied"], done.json["quarantined"]) == (2, 0)
    assert tiewatch("facts", "1", "--json").json[0]["facts"]["owner"] == "Kim Ono"


def deal(number: int, amount: int, modified: datetime | None) -> dict[str, str]:
    said = {"Last Modified Date": f"{modified:%Y-%m-%d %H:%M}"} if modified else {}
    return {
        "Record ID": f"d{number}",
        "Deal Name": "Acme",
        "Deal Stage": "Closed won",
        "Close Date": f"{QUIET:%Y-%m-%d}",
        "Amount": str(12 * amount),
        "Associated Company IDs": str(number),
        **said,
    }


@pytest.mark.parametrize("in_turn", [("first.csv", "later.csv"), ("later.csv", "first.csv")])
@pytest.mark.parametrize("says_when", [True, False])
def test_of_a_deal_that_is_corrected_the_later_version_counts_whichever_comes_first(
    tiewatch, folder, says_when, in_turn
):
    # Of several, so that no version is the winner by chance alone.
    for name, amount, modified in (("first", 100, QUIET), ("later", 50, NOW - timedelta(1))):
        deals = [deal(n, amount + n, modified if says_when else None) for n in range(1, 9)]
        os.utime(table(folder / f"{name}.csv", *deals), (modified.timestamp(),) * 2)
    for names in (in_turn[:1], in_turn):
        done = tiewatch("import", "--direct", "--json", "--timezone", "UTC", *names)
        assert (done.status, done.json["applied"], done.json["duplicates"]) == (
            *(0, 8, 8 * (len(names) - 1)),
        ), done.err
    told = "no column says when a row was changed last" in done.err
    assert told is not says_when
    worth = [one["facts"]["mrr"] for one in tiewatch("facts", "--json").json]
    assert worth == [50 + n for n in range(1, 9)]


def test_a_time_without_a_zone_is_asked_about_before_anything_is_taken_in(
    tiewatch, folder, embedded
):
    table(folder / "a.csv", company(1), company(2))
    done = tiewatch("import", "--direct", "--json", "a.csv")
    assert (done.status, done.out) == (2, "")
    assert 'a.csv:2:Last Modified Date: "' in done.err
    assert '" is in no time zone: say in which with --timezone. Nothing was taken in.' in done.err
    assert not (folder / ".tiewatch" / "tiewatch.db").exists()
    done = tiewatch("import", "--direct", "--json", "--timezone", "America/New_York", "a.csv")
    assert (done.status, done.json["applied"]) == (0, 4)
    assert {str(row["time"])[:16] for row in rows(embedded, tables.events)} >= {"2024-02-01 14:30"}


def test_one_that_comes_late_in_a_file_is_quarantined(tiewatch, folder):
    zoned = {"Create Date": "2024-02-01T09:30:00Z", "Last Modified Date": "2026-01-01"}
    many = [company(n, **zoned) for n in range(150)]
    table(folder / "a.csv", *many, company(150))
    done = tiewatch("import", "--direct", "--json", "a.csv")
    assert (done.status, done.json["quarantined"], done.json["applied"]) == (2, 1, 300)
    assert "a.csv:152:Create Date: " in done.err


def test_bad_rows_are_quarantined_with_their_place_and_the_rest_goes_on(tiewatch, folder, embedded):
    bad = company(2, **{"Annual Recurring Revenue": "a lot"})
    table(folder / "a.csv", company(1), bad, company(3))
    done = tiewatch("import", "--direct", "--json", "--timezone", "UTC", "a.csv")
    assert (done.status, done.json["quarantined"], done.json["applied"]) == (2, 1, 4)
    assert "a.csv:3:Annual Recurring Revenue: 'mrr' must be a number, 0 or more" in done.err
    [kept] = rows(embedded, tables.quarantine)
    assert (kept["way"], kept["source"]) == ("imports/hubspot-companies", "hubspot")
    [group] = tiewatch("quarantine", "list", "--json").json
    assert group["reason"] == "'mrr' must be a number, 0 or more"


def test_after_the_mapping_is_mended_quarantined_rows_are_taken_in(tiewatch, folder, embedded):
    bad = [company(n, **{"Annual Recurring Revenue": "a lot", "Value": "600"}) for n in (1, 2)]
    table(folder / "a.csv", *bad)
    tiewatch("import", "--direct", "--timezone", "UTC", "a.csv")
    assert tiewatch("quarantine", "retry", "--all").status == 1
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text("rules: []\n")
    (folder / "rules" / "capture.yaml").write_text(
        "imports: {hubspot-companies: {source: hubspot, id: $.Record ID, "
        "time: $.Last Modified Date, subject: $.Record ID, "
        "events: [{type: account, name: $.Company name}]}}\n"
    )
    (folder / "rules" / "all.yaml").write_text(
        "rules: [{id: a, title: A, severity: low, when: {usage_30d: at least 1}}]\n"
    )
    done = tiewatch("quarantine", "retry", "--all", "--json")
    assert (done.status, done.json) == (0, {"taken_in": 2, "remain": 0}), done.err
    assert tiewatch("facts", "2", "--json").status == 0
    assert rows(embedded, tables.quarantine) == []


MAPPING = """
imports:
  visits:
    source: field-team
    time: $.Visited on
    subject: $.Customer
    events:
      - type: interaction
        channel: meeting
        reps: $.By | lower
        contacts: $.Met | split
"""


def test_any_csv_with_a_mapping_of_ones_own(tiewatch, folder, embedded):
    (folder / "visits.yaml").write_text(MAPPING)
    (folder / "visits.csv").write_text(
        "Customer;Visited on;By;Met\nacme;05.01.2026;SAM;dana, lee\nacme;13/02/2026;SAM;dana\n"
        "acme;03/02/2026;SAM;lee\n"
    )
    given = ("--direct", "--json", "--mapping", "visits.yaml", "visits.csv")
    done = tiewatch("import", *given)
    assert (done.status, done.out) == (2, "")
    assert 'visits.csv:4:Visited on: "03/02/2026" begins with a day or with a month' in done.err
    done = tiewatch("import", "--day-first", *given)
    assert (done.status, done.json["applied"]) == (0, 3)
    days = sorted(str(row["time"])[:10] for row in rows(embedded, tables.events))
    assert days == ["2026-01-05", "2026-02-03", "2026-02-13"]
    assert {row["source"] for row in rows(embedded, tables.events)} == {"field-team"}


def test_with_a_mapping_no_file_is_taken_for_a_mailbox(tiewatch, folder):
    two_kinds = MAPPING.replace("    time:", "    columns: [From date, Customer]\n    time:")
    other = two_kinds.partition("imports:\n")[2].replace("visits", "trips").replace("From", "Until")
    (folder / "own.yaml").write_text(two_kinds + other)
    (folder / "visits.txt").write_text(
        "From date,Customer,Visited on,By,Met\nx,acme,2026-01-05,sam,dana\n"
    )
    done = tiewatch("import", "--dry-run", "--json", "--mapping", "own.yaml", "visits.txt")
    assert done.json["files"] == [{"file": "visits.txt", "as": "visits"}], done.err
    assert done.json["events"] == {"interaction": 1}


def test_of_a_mapping_of_ones_own_it_is_said_which_columns_are_not_there(tiewatch, folder):
    (folder / "visits.yaml").write_text(MAPPING.replace("$.By | lower", "[$.By | lower, $.Rep]"))
    (folder / "a.csv").write_text("Customer;Visited at;By;Met\nacme;2026-01-05;sam;dana\n")
    done = tiewatch("import", "--dry-run", "--mapping", "visits.yaml", "a.csv")
    assert "taken for visits, since you said so" in done.err
    assert "not in it: visitedon (do you mean Visited at?)." in done.err


def owned(folder: Path, name: str, owner: str, edited: str = "") -> str:
    """A file of one company, which says when that was changed, or leaves the cell empty."""
    row = company(**{"Create Date": "", "Company owner": owner, "Last Modified Date": edited})
    return table(folder / name, row).name


def test_an_older_export_that_was_copied_later_counts_as_of_when_it_was_exported(tiewatch, folder):
    days = [f"{NOW - timedelta(ago):%Y-%m-%d}" for ago in (9, 6, 3)]
    new = owned(folder, "new.csv", "Kim Ono", f"{days[1]} 10:00")
    done = tiewatch("import", "--direct", "--timezone", "UTC", new)
    assert "count as changed" not in done.out
    old = owned(folder, "old.csv", "Sam Lee")
    for exported, owner in ((days[0], "Kim Ono"), (days[2], "Sam Lee")):
        given = ("import", "--direct", "--exported", exported, "--timezone", "UTC", old)
        for _ in range(2):
            done = tiewatch(*given)
            assert "1 without a time of the last change: such rows count as" in done.out
        assert "1 there already" in done.out
        assert tiewatch("facts", "1", "--json").json[0]["facts"]["owner"] == owner


def dated(tiewatch, name: str, *given: str) -> datetime:
    """The time of what is in a file that does not say when it was changed."""
    done = tiewatch("import", "--dry-run", "--json", *given, name)
    return datetime.fromisoformat(done.json["examples"][0]["time"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["2026-03-05"], "2026-03-05T23:59:59.999999+00:00"),
        (["2026-03-05", "--timezone", "Asia/Tokyo"], "2026-03-05T14:59:59.999999+00:00"),
        (["2026-03-05T18:30"], "2026-03-05T18:30:00+00:00"),
        (["2026-03-05T18:30", "--timezone", "Asia/Tokyo"], "2026-03-05T09:30:00+00:00"),
        (["2026-03-05T18:30:00Z", "--timezone", "Asia/Tokyo"], "2026-03-05T18:30:00+00:00"),
    ],
)
def test_an_export_of_a_day_comes_after_all_that_changed_on_it(tiewatch, folder, given, expected):
    name = owned(folder, "a.csv", "Sam Lee")
    assert dated(tiewatch, name, "--exported", *given).isoformat() == expected


@pytest.mark.parametrize("days", [0, 1])
def test_an_export_of_today_is_of_now_and_in_the_east_it_is_tomorrow(tiewatch, folder, days):
    name, before = owned(folder, "a.csv", "Sam Lee"), clock()
    found = dated(tiewatch, name, "--exported", f"{TODAY + timedelta(days)}")
    assert before <= found <= clock()


def test_a_dry_run_shows_what_would_come_out_and_stores_nothing(tiewatch, folder):
    table(folder / "a.csv", company(1), company(2, **{"Record ID": "x" * 201}))
    done = tiewatch("import", "--dry-run", "--json", "--timezone", "UTC", "a.csv")
    assert done.status == 1
    assert done.json["files"] == [{"file": "a.csv", "as": "hubspot-companies"}]
    assert (done.json["rows"], done.json["events"], done.json["accounts"]) == (2, {"account": 2}, 1)
    assert done.json["quarantined"] == 1
    assert "a.csv:3:Record ID: 'subject' must be text of 1 to 200" in done.json["problems"][0]
    assert done.json["examples"][0]["data"] == {"name": "Company 1"}
    assert not (folder / ".tiewatch").exists()
    said = tiewatch("import", "--dry-run", "--timezone", "UTC", "a.csv")
    assert "Events that would come out: 2 account; of 1 accounts." in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.csv"], "missing.csv: there is no such file"),
        (["."], ".: is a folder: name the files in it"),
        (["odd.csv"], "is of no kind that is known by its columns (a, b). Its first line"),
        (["odd.csv", "--as", "nonsense"], "there is no mapping 'nonsense': there are hubspot-"),
        (["odd.csv", "--as", "hubspot-deals"], "none of the columns that hubspot-deals reads"),
        (["deals.csv"], "no column says which account a row is of"),
        (["good.csv", "--timezone", "Berlin"], "'Berlin' is no time zone"),
        (["good.csv", "--exported", "2999-01-01"], "--exported 2999-01-01: that is still to come"),
        (["good.csv", "--exported", f"{NOW + timedelta(1):%Y-%m-%dT%H:%MZ}"], "is still to come"),
        (["good.csv", "--exported", "2026-05-01T6pm"], "that is no time: write it like 2026-03-31"),
        (["good.csv", "--mapping", "none.yaml"], "there is no such mapping file"),
        (["good.csv", "--mapping", "empty.yaml"], "there is nothing under 'imports:'"),
        (["good.csv", "--mapping", "bad.yaml"], "bad.yaml:1:14: 'x' has no 'events'"),
        (["good.csv", "empty.csv", "--timezone", "UTC"], "empty.csv: empty"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_taken_in(tiewatch, folder, arguments, said):
    table(folder / "good.csv", company())
    (folder / "odd.csv").write_text("a,b\n1,2\n")
    (folder / "deals.csv").write_text("Record ID,Deal Name,Deal Stage\n1,a,won\n")
    (folder / "empty.csv").write_text("")
    (folder / "empty.yaml").write_text("hooks: {}\n")
    (folder / "bad.yaml").write_text("imports: {x: {source: y}}\n")
    done = tiewatch("import", *arguments)
    assert (done.status, done.out) == (2, ""), done
    assert said in done.err
    assert not (folder / ".tiewatch").exists()


def test_a_header_without_rows_and_a_file_that_breaks_off_are_told(tiewatch, folder):
    header = "Record ID,Company name,Last Modified Date\n"
    (folder / "a.csv").write_text(header)
    (folder / "b.csv").write_text(header + '1,Acme,2026-01-01\n2,"Beta,2026-01-01\n')
    done = tiewatch("import", "--direct", "--json", "a.csv", "b.csv")
    assert (done.status, done.json["applied"]) == (2, 1)
    assert "a.csv: there is a header and no row in it." in done.err
    assert "b.csv:3: breaks off: a quotation mark is opened here and never closed" in done.err


def process(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIEWATCH_")}
    return subprocess.Popen(
        [sys.executable, "-m", "worker", *arguments],
        cwd=folder,
        env=ours | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.crash
@pytest.mark.timeout(120)
def test_an_import_through_the_queue_that_is_killed_goes_on_when_it_is_run_again(
    tiewatch, folder, embedded
):
    companies = [company(n) for n in range(20)]
    meetings = [
        meeting(n, str(n % 20), f"c{n % 37};c{n % 11}", days=1 + n % 300) for n in range(6_000)
    ]
    contacts = [contact(n, n % 20) for n in range(37)]
    contacts.append(contact(37) | {"Last Modified Date": "last year"})
    given = (
        "import", "--json", "--timezone", "UTC",
        table(folder / "companies.csv", *companies).name,
        table(folder / "meetings.csv", *meetings).name,
        table(folder / "contacts.csv", *contacts).name,
    )  # fmt: skip
    killed = process(folder, *given)
    applied = 0
    while applied == 0 and killed.poll() is None:
        time.sleep(0.01)
        try:
            with reading(embedded) as db:
                applied = len(db.execute(select(tables.batches.c.id)).all())
        except OperationalError:  # there are no tables yet
            continue
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    before = len(rows(embedded, tables.events))
    assert 0 < before < 6_000
    done = process(folder, *given)
    out, err = done.communicate(timeout=90)
    assert done.returncode == 2, err
    assert "contacts.csv:39:Last Modified Date: 'changed' must be a time" in err
    counts = json.loads(out)
    assert (counts["rows"], counts["quarantined"]) == (6_058, 1)
    assert counts["applied"] + counts["duplicates"] == 6_077
    assert counts["duplicates"] >= before
    tiewatch("import", "--direct", *given[1:], HOME=folder / "undisturbed")
    undisturbed = tiewatch("facts", "--json", HOME=folder / "undisturbed").json
    assert len(undisturbed) == 20
    assert tiewatch("facts", "--json").json == undisturbed
    assert [row["way"] for row in rows(embedded, tables.quarantine)] == ["imports/hubspot-contacts"]
