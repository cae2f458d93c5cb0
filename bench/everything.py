"""A sweep with rules on facts of every kind: what it costs to look at all that is stored."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import stage, sweep
from bench.measure import Goal, Line, Report
from bench.stage import Stage
from worker.rulebooks.rulebook import read_rulebook
from worker.shipped import rules_dir

METHOD = """\
{accounts:,} accounts as above, and of each one subscription, two tickets, two surveys, one goal, \
{features} days of users with features and {touches} people in interactions of the last 90 \
days; {rules} rules: all that ship, and {more} more, which look at facts of every part of the \
catalogue, at the health score and its change, and at facts of `metrics.yaml`. Each run is the \
command `tiewatch sweep --json` of the next day, start-up included, in one process with one \
connection. The first sweep finds no flags, and makes the health scores of 30 days before, which \
as it does when `health.yaml` has changed; the steady ones find them kept, as after a month of \
sweeps."""

FEATURE_DAYS = 20
TOUCHES = 12

METRICS = """
features: {advanced: [report, api], launched: {insights: 2026-01-05}}
facts:
  reports 30d: {count: usage, where: {feature: report}, over: 30 days}
  reports a user: {ratio: reports 30d, to: licences_used}
  calls 60d: {count: interaction, where: {channel: call}, over: 60 days}
  billing tickets: {share: ticket, where: {topic: billing}, over: 90 days}
"""

RULES = """
rules:
  - {id: nobody-in-touch, title: "{days_since_contact}", severity: medium,
     when: {days_since_contact: over 60 days}}
  - {id: slow-answers, title: "{response_hours}", severity: low,
     when: {response_hours: over 48 hours}}
  - {id: we-do-the-talking, title: "{inbound_share_90d}", severity: low,
     when: {inbound_share_90d: under 20%, meetings_90d: 0}}
  - {id: few-functions, title: "{roles_covered}", severity: low,
     when: {roles_covered: fewer than 2, mrr: at least 10000 EUR}}
  - {id: shallow-use, title: "{advanced_users}", severity: low,
     when: {advanced_users: under 10%, features_used: fewer than 3}}
  - {id: launch-not-taken-up, title: "{feature_uptake}", severity: low,
     when: {feature_uptake: under 5%}}
  - {id: engagement-low, title: "{engagement_score}", severity: medium,
     when: {engagement_score: under 20, days_to_renewal: between 0 days and 120 days}}
  - {id: goals-overdue, title: "{goals_overdue}", severity: medium,
     when: {goals_overdue: at least 1}}
  - {id: no-return-yet, title: "{roi}", severity: low,
     when: {roi: under 0%, tenure_days: over 180 days}}
  - {id: nps-low, title: "{nps}", severity: medium, when: {nps: under 0}}
  - {id: csat-low, title: "{csat}", severity: medium, when: {csat: under 60%}}
  - {id: many-defects, title: "{defect_share}", severity: low,
     when: {defect_share: over 50%, tickets_per_licence: over 0.1}}
  - {id: paying-less, title: "{mrr_change_90d}", severity: high,
     when: {any: [mrr_change_90d: at most -10%, contraction_365d: over 500 EUR]}}
  - {id: reports-given-up, title: "{reports a user}", severity: low,
     when: {reports a user: under 0.5, calls 60d: 0}}
  - {id: billing-trouble, title: "{billing tickets}", severity: medium,
     when: {billing tickets: over 40%, open_tickets: at least 1}}
"""

EVERY_PART = """
rules:
  - id: a-fact-of-every-part
    title: "Never so"
    severity: low
    when:
      all:
        - exec_silence_ratio: over 1000000
        - roles_covered: over 1000000
        - response_hours: over 1000000 hours
        - meetings_90d: over 1000000
        - features_used: over 1000000
        - goals_overdue: over 1000000
        - nps: over 99
        - open_tickets: over 1000000
        - mrr_change_90d: over 1000000%
        - health_change_30d: over 99
        - reports a user: over 1000000
        - calls 60d: over 1000000
        - billing tickets: over 99%
"""
"""One rule that holds of no account, and asks for every part of the catalogue."""

STATE = """
UPDATE accounts SET
    subscribed_until = now() - interval '200 days',
    subscriptions = format(
        '[{"main":["started",%s.0,%s,{"%s":%s},"EUR"]},[[%s,{"EUR":%s.0}]],%s]',
        mrr, seats, renewal_day - 365, renewal_day, renewal_day - 365, mrr, :today - 200
    );

INSERT INTO feature_days (account, day, contact, feature, uses, minutes)
SELECT account, :today - 1 - (k * 7 + luck) % 40, 'person-' || (2 + k % 4),
    (ARRAY['board', 'report', 'search', 'api', 'insights'])[1 + (luck + k) % 5],
    1 + luck % 9, 1000 * (luck % 30)
FROM made, generate_series(1, :features) AS k
ON CONFLICT DO NOTHING;

INSERT INTO touches
    (account, day, contact, channel, direction, minutes, interactions, copied, at)
SELECT account, day, 'person-' || (1 + k % 5), channel,
    CASE WHEN channel = 'meeting' THEN 'mutual' WHEN k % 3 = 0 THEN 'inbound' ELSE 'outbound' END,
    30000, 1, 0, (day - 719163)::bigint * 86400000000 + k * 3600000000
FROM made, generate_series(1, :touches) AS k,
    LATERAL (SELECT :today - 1 - (k * 7 + luck) % 88 AS day,
        CASE WHEN k % 6 = 0 THEN 'meeting' WHEN k % 6 = 1 THEN 'call' ELSE 'email' END AS channel)
    AS one;

"""
"""What an account has of a subscription, of features and of touches, beside the sweep's state."""

TOLD = """
CREATE FUNCTION pg_temp.stamp(day int) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN (date '0001-01-01' + day - 1) || 'T12:00:00.000000+00:00';

INSERT INTO surveys (account, day, contact, kind, answer, points, score, at, id, source)
SELECT account, day, 'person-' || (2 + luck % 4), kind, answer, points, score,
    (day - 719163)::bigint * 86400000000, 'survey-' || kind || account, 'surveys'
FROM made, LATERAL (
    SELECT :today - 10 - luck % 300 AS day, 'nps' AS kind,
        CASE WHEN luck % 11 < 7 THEN 'detractor' WHEN luck % 11 < 9 THEN 'passive'
            ELSE 'promoter' END AS answer, (luck % 11) * 1000 AS points, luck % 11 AS score
    UNION ALL
    SELECT :today - 1 - luck % 120, 'csat',
        CASE WHEN luck % 5 < 3 THEN 'unsatisfied' ELSE 'satisfied' END,
        (luck % 5) * 2500, 1 + luck % 5
) AS said;

INSERT INTO tickets
    (account, ticket, day, last_day, is_open, priority, topic, defect, course)
SELECT account, 'ticket-' || k, day, CASE WHEN is_open THEN day ELSE day + 3 END, is_open, 'high',
    topic, defect,
    format(
        '[["%s","t%s-1","desk",{"status":"opened","priority":"high","topic":"%s","defect":%s}]%s]',
        pg_temp.stamp(day), k, topic, defect,
        CASE WHEN NOT is_open THEN
            format(',["%s","t%s-2","desk",{"status":"resolved"}]', pg_temp.stamp(day + 3), k)
        WHEN luck % 3 = 0 THEN
            format(',["%s","t%s-2","desk",{"status":"escalated"}]', pg_temp.stamp(day), k)
        ELSE '' END
    )
FROM made, generate_series(1, 2) AS k,
    LATERAL (SELECT :today - 5 - (luck * k) % 100 AS day, k = 2 AND luck % 8 = 0 AS is_open,
        (ARRAY['billing', 'login', 'reports'])[1 + (luck + k) % 3] AS topic,
        CASE WHEN (luck + k) % 4 = 0 THEN 'true' ELSE 'false' END AS defect) AS one;

INSERT INTO goals (account, goal, course)
SELECT account, 'roll-out', format(
    '[["%s","g1","plan",{"progress":%s,"cost":%s,"benefit":%s,"due":"%s"}]]',
    pg_temp.stamp(:today - 90), luck % 101, 1000 + luck, 2 * luck,
    date '0001-01-01' + (:today - 30 + luck % 200) - 1)
FROM made
"""
"""Two surveys, two tickets and a goal of each account in the temporary table `made`."""

MADE = """
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT account, CAST((row_number() OVER (ORDER BY account) * 7919) % 1000 AS int) AS luck
FROM accounts;
"""

KEPT = """
INSERT INTO health_days (account, day, score, settings)
SELECT account, day, 40 + (day + first_day) % 50, :settings
FROM accounts, generate_series(:today - 29, :today) AS day ON CONFLICT DO NOTHING
"""


def run(
    on: Stage, note: Callable[[str], None], *, accounts: int = 100_000, runs: int = 3
) -> list[Report]:
    """Measure the first sweep, and as many steady ones as there are runs."""
    today = stage.now().date()
    with stage.database(on) as url, thirty_rules() as folder:
        note(f"making {accounts:,} accounts with all that is stored")
        sweep.make(url, accounts, today, STATE + TOLD, features=FEATURE_DAYS, touches=TOUCHES)
        first = sweep.command(url, folder, today)
        note(f"first sweep: {first[0]:.1f} s, {first[1]:.0f} MB")
        book = read_rulebook(Path(folder))
        keep_scores(url, today, book.health.digest)
        steady = []
        for run in range(runs):
            steady.append(sweep.command(url, folder, today + timedelta(days=1 + run)))
            note(f"sweep: {steady[-1][0]:.1f} s, {steady[-1][1]:.0f} MB (run {run + 1} of {runs})")
    seconds, megabytes = zip(*steady, strict=True)
    lines = [
        Line("the first sweep, scores made anew", (first[0],), "s"),
        Line("a steady sweep", seconds, "s", Goal(at_most=60)),
        Line("peak memory of the first", (first[1],), "MB", Goal(at_most=1_000)),
        Line("peak memory of a steady one", megabytes, "MB", Goal(at_most=1_000)),
    ]
    method = METHOD.format(
        accounts=accounts,
        features=FEATURE_DAYS,
        touches=TOUCHES,
        rules=len(book.rules.rules),
        more=RULES.count("- {id:"),
    )
    return [Report("A sweep with facts of every kind", method, lines)]


@contextmanager
def thirty_rules() -> Iterator[str]:
    """A rules directory: all that ships, and fifteen rules more."""
    with tempfile.TemporaryDirectory(prefix="tiewatch-rules-") as folder:
        for name in ("relationship.yaml", "signals.yaml", "health.yaml"):
            shutil.copy(rules_dir() / name, folder)
        Path(folder, "metrics.yaml").write_text(METRICS)
        Path(folder, "more.yaml").write_text(RULES)
        yield folder


@contextmanager
def every_part() -> Iterator[str]:
    """A rules directory: the four live rules that ship, and one for which everything is read."""
    with tempfile.TemporaryDirectory(prefix="tiewatch-rules-") as folder:
        for name in ("relationship.yaml", "health.yaml"):
            shutil.copy(rules_dir() / name, folder)
        Path(folder, "metrics.yaml").write_text(METRICS)
        Path(folder, "every-part.yaml").write_text(EVERY_PART)
        yield folder


def tell(engine: sa.Engine, today: date) -> None:
    """Add surveys, tickets and a goal to every account of a database."""
    with engine.begin() as db:
        sweep.fill(db, MADE + TOLD, {"today": today.toordinal()})


def keep_scores(url: str, today: date, settings: str) -> None:
    """Health scores of the last 30 days, as if sweeps had left them."""
    with stage.connected(url) as engine, engine.begin() as db:
        db.execute(sa.text(KEPT), {"today": today.toordinal(), "settings": settings})
