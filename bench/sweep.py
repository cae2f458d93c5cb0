"""A sweep of many accounts: how long it takes, and what the sweeping process needs of memory."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import stage, workers
from bench.measure import Goal, Line, Report
from bench.stage import Stage

SETTLING_DAYS = 3
"""The longest hold of a rule, and what stays open longest, are over after so many days."""

METHOD = """\
{accounts:,} accounts with 5 contacts, 20 tie-days on 5 ties and 10 days of usage each, made by \
SQL straight in the tables, and 12 rules: the four that ship and eight more. Each run is the \
command `tiewatch sweep --json` of the next day, start-up included: one process with one \
connection, which takes turns with its database backend, so together they are about one core's \
work. The first sweep finds no flags. The steady ones follow another that has opened what was \
held; each brings the words of open flags up to date ({open:,} are open at the end) and writes \
that day's renewal checks. There are no subscriptions, which would be read as well."""

RULES = """
rules:
  - id: nobody-in-touch
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over 60 days}
  - id: no-word-from-the-customer
    title: "Not a word from them for {days_since_inbound}"
    severity: high
    when:
      segment: [enterprise, mid-market]
      days_since_inbound: over 45 days
  - id: usage-stopped
    title: "No usage for {days_since_usage}"
    severity: critical
    when: {days_since_usage: over 14 days}
  - id: few-active-days
    title: "Used on {active_days_30d} of 30 days"
    severity: low
    when:
      active_days_30d: fewer than 3
      licences: at least 5
    hold_for: 2 days
  - id: licences-unused
    title: "{licences_used} of {licences} licences in use"
    severity: medium
    when:
      adoption: under 10%
      tenure_days: over 90 days
    except_when: {lifecycle: [trial, onboarding, churned]}
  - id: renewal-without-champion
    title: "Renews in {days_to_renewal}, strong user ties: {strong_user_ties}"
    severity: medium
    when:
      days_to_renewal: between 0 days and 120 days
      strong_user_ties: 0
  - id: all-through-one-rep
    title: "Reps with a strong tie: {strong_reps}"
    severity: low
    when:
      mrr: at least 19,000 EUR
      strong_reps: at most 1
    keep_open_for: 3 days
  - id: large-and-cooling
    title: "Usage {usage_change} in 30 days"
    severity: high
    when:
      any:
        - usage_change: at most -30%
        - all:
            - usage_change: at most -15%
            - mrr: at least 10,000 EUR
      not: {lifecycle: onboarding}
"""

# Numbers that look like chance and are the same each time: an account's, spread by a prime.
STATE = """
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT n, 'account-' || lpad(n::text, 6, '0') AS account,
    'rep-' || lpad((n % (:accounts / 100 + 1))::text, 4, '0') AS rep,
    (n * 7919) % 1000 AS luck,
    CASE WHEN n % 20 < 14 THEN 2 WHEN n % 20 < 18 THEN 12 WHEN n % 20 = 18 THEN 50 ELSE 90 END
        AS quiet
FROM generate_series(1, :accounts) AS n;

INSERT INTO reps (rep, name) SELECT DISTINCT rep, initcap(rep) FROM made;

INSERT INTO accounts (account, name, segment, owner, seats, mrr, currency, renewal_day, lifecycle,
    first_day, first_usage_day, first_user_day)
SELECT account, initcap(account),
    CASE WHEN luck < 100 THEN 'enterprise' WHEN luck < 400 THEN 'mid-market' ELSE 'smb' END,
    rep, 5 + luck % 10, 100 + 20 * luck, 'EUR', :today + (n * 31) % 365,
    CASE WHEN luck % 20 = 0 THEN 'onboarding' ELSE 'active' END,
    :today - 400, :today - 300, :today - 300
FROM made;

INSERT INTO contacts (account, contact, name, title, level, role, last_used, used_before)
SELECT account, 'person-' || p, 'Person ' || p,
    (ARRAY['CIO', 'Director, IT', 'Product Owner', 'Analyst', 'Engineer'])[p],
    (ARRAY['c_level', 'director', 'manager', 'staff', 'staff'])[p],
    (ARRAY['economic_buyer', 'admin', 'champion', 'user', 'user'])[p],
    CASE WHEN p > 1 THEN :today - 1 - (luck * p) % 35 END,
    CASE WHEN p > 1 THEN :today - 60 END
FROM made, generate_series(1, 5) AS p;

INSERT INTO tie_days (account, rep, contact, day, mutual, outbound, inbound)
SELECT account, rep, 'person-' || p, :today - quiet - (p * 13 + luck) % 10 - 10 * k,
    CASE WHEN k % 3 = 0 OR p < 3 THEN 300 ELSE 0 END,
    CASE WHEN k % 3 = 1 THEN 200 ELSE 0 END,
    CASE WHEN k % 3 = 2 THEN 200 ELSE 0 END
FROM made, generate_series(1, 5) AS p, generate_series(0, 3) AS k;

INSERT INTO ties (account, rep, contact, day, mutual, outbound, inbound,
    past_mutual, past_outbound, past_inbound, active_days, two_way_day)
SELECT account, rep, contact, last,
    sum(mutual) FILTER (WHERE day = last),
    sum(outbound) FILTER (WHERE day = last),
    sum(inbound) FILTER (WHERE day = last),
    coalesce(sum(mutual * power(2, -(last - day) / 60.0)) FILTER (WHERE day < last), 0),
    coalesce(sum(outbound * power(2, -(last - day) / 60.0)) FILTER (WHERE day < last), 0),
    coalesce(sum(inbound * power(2, -(last - day) / 60.0)) FILTER (WHERE day < last), 0),
    count(*), max(day) FILTER (WHERE mutual + inbound > 0)
FROM (
    SELECT *, max(day) OVER (PARTITION BY account, rep, contact) AS last FROM tie_days
) AS days
GROUP BY account, rep, contact, last;

INSERT INTO usage_days (account, day, count)
SELECT account, :today - 1 - 6 * k - CASE WHEN luck % 25 = 0 THEN 20 ELSE 0 END,
    CASE WHEN luck % 15 = 0 THEN 10 + 10 * k ELSE 50 + (luck * k) % 20 END
FROM made, generate_series(0, 9) AS k;

UPDATE workspace SET first_interaction_day = :today - 400;
"""


def run(
    on: Stage, note: Callable[[str], None], *, accounts: int = 100_000, runs: int = 5
) -> list[Report]:
    """Measure the first sweep, and as many steady ones as there are runs."""
    today = stage.now().date()
    with stage.database(on) as url, twelve_rules() as rules:
        note(f"making {accounts:,} accounts")
        make(url, accounts, today)
        first = command(url, rules, today)
        note(f"first sweep: {first[0]:.1f} s, {first[1]:.0f} MB")
        command(url, rules, today + timedelta(days=SETTLING_DAYS))
        steady = []
        for run in range(runs):
            steady.append(command(url, rules, today + timedelta(days=SETTLING_DAYS + 1 + run)))
            note(f"sweep: {steady[-1][0]:.1f} s, {steady[-1][1]:.0f} MB (run {run + 1} of {runs})")
        with stage.polled(url) as db:
            open_flags = db.scalar(sa.text("SELECT count(*) FROM flags WHERE state = 'open'"))
    seconds, megabytes = zip(*steady, strict=True)
    lines = [
        Line("the first sweep", (first[0],), "s"),
        Line("a steady sweep", seconds, "s", Goal(at_most=20)),
        Line("peak memory of the first", (first[1],), "MB"),
        Line("peak memory of a steady one", megabytes, "MB", Goal(at_most=500)),
    ]
    method = METHOD.format(accounts=accounts, open=open_flags)
    return [Report("A sweep of all accounts", method, lines)]


@contextmanager
def twelve_rules() -> Iterator[str]:
    """A rules directory: the four that ship, and eight more."""
    with tempfile.TemporaryDirectory(prefix="tiewatch-rules-") as rules:
        shutil.copytree(stage.four_rules(), rules, dirs_exist_ok=True)
        Path(rules, "more.yaml").write_text(RULES)
        yield rules


def make(url: str, accounts: int, today: date, more: str = "", **values: int) -> None:
    """Fill the tables; `more` is SQL that adds to them, with these values beside."""
    names = {"accounts": accounts, "today": today.toordinal(), **values}
    with stage.connected(url) as engine:
        with engine.begin() as db:
            fill(db, STATE + more, names)
        stage.vacuum(engine)


def fill(db: sa.Connection, script: str, values: Mapping[str, int]) -> None:
    """Run the statements of a script, of which each ends with a semicolon and its line."""
    for statement in filter(str.strip, script.split(";\n")):
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        db.execute(sa.text(statement), used)


def command(url: str, rules: str, on: date) -> tuple[float, float]:
    """Run the command; its wall seconds and its largest resident memory in MB."""
    found, seconds, megabytes = workers.command(
        "sweep", "--on", on.isoformat(), DATABASE_URL=url, RULES_DIR=rules
    )
    if not found["accounts"]:
        raise RuntimeError(f"the sweep of {on} found no accounts")
    return seconds, megabytes
