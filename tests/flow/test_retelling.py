"""What is told again of a flag that stays open, from sweep to message, day by day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, update

from tests.pipeline import at, event, rows, sweep, take_in
from worker.core.alerts import Alert
from worker.delivering import delivery, planning
from worker.delivering.sending import to_show
from worker.rulebooks.rulebook import Rulebook, read_rulebook
from worker.store import holds, tables
from worker.store.database import writing

DAY = date(2026, 3, 2)
RULES = """
rules:
  - id: alone
    title: "{known_users} users known"
    severity: medium
    when: {known_users: under 3}
    remind_every: 7 days
"""


class Days:
    """Days that pass: each is swept, and what is due by its end is delivered."""

    def __init__(self, engine: Engine, folder: Path, telling: str = "", rules: str = RULES) -> None:
        (folder / "slack.yaml").write_text(telling)
        (folder / "all.yaml").write_text(rules)
        self.engine, self.today = engine, DAY - timedelta(days=1)
        self.book: Rulebook = read_rulebook(folder)
        people = [
            event("rep", self.today, account=None, rep="sam", manager="ada"),
            event("rep", self.today, account=None, rep="ada"),
            event("account", self.today, name="Acme", owner="sam"),
        ]
        contact = event("contact", self.today, contact="dana", title="CIO")
        take_in(engine, self.book, self.today, *people, contact)
        planning.plan(engine, at(self.today, 14), self.book.telling)

    def take_in(self, *events: Any) -> None:
        take_in(self.engine, self.book, self.today, *events)

    def meet(self) -> None:
        """With a meeting there are facts to go by."""
        reps = {"channel": "meeting", "reps": ["sam"], "contacts": ["dana"]}
        self.take_in(event("interaction", self.today, **reps))

    def next(self, days: int = 1) -> list[tuple[int, str, str]]:
        """(day from the first, recipient, reason) of what was told on the next days."""
        before = {row["id"] for row in rows(self.engine, tables.messages) if row["sent_at"]}
        for _ in range(days):
            self.today += timedelta(days=1)
            sweep(self.engine, self.book, self.today)
            now = at(self.today, 23) + timedelta(minutes=5)
            planning.plan(self.engine, now, self.book.telling)
            delivery.deliver(self.engine, to_show(lambda _: None), lambda now=now: now)
        return [
            ((row["sent_at"].date() - DAY).days, row["recipient"], row["reason"])
            for row in rows(self.engine, tables.messages)
            if row["sent_at"] and row["id"] not in before
        ]


def test_a_rep_is_reminded_every_so_many_days_until_somebody_answers(engine, tmp_path):
    days = Days(engine, tmp_path)
    days.meet()
    assert days.next(16) == [
        (0, "rep:sam", "opened"),
        (7, "rep:sam", "still open"),
        (14, "rep:sam", "still open"),
    ]
    with writing(engine) as db:
        db.execute(update(tables.flags).values(state="acknowledged"))
    assert days.next(10) == []


def test_a_reminder_speaks_of_today(engine, tmp_path):
    days = Days(engine, tmp_path)
    days.meet()
    days.next(3)
    user = {"title": "Analyst", "role": "user"}
    days.take_in(event("contact", days.today, contact="lee", **user))
    days.next(5)
    titles = [
        msgspec.json.decode(row["body"], type=Alert).title for row in rows(engine, tables.messages)
    ]
    assert titles == ["0 users known", "1 users known"]


def test_the_manager_hears_once_of_what_nobody_acknowledged(engine, tmp_path):
    days = Days(engine, tmp_path, "escalate_after: 3 days\n")
    days.meet()
    assert days.next(7) == [(0, "rep:sam", "opened"), (3, "rep:ada", "not acknowledged")]
    assert days.next(7) == [(7, "rep:sam", "still open")]


def test_an_answer_in_time_spares_the_manager(engine, tmp_path):
    days = Days(engine, tmp_path, "escalate_after: 3 days\n")
    days.meet()
    days.next(2)
    with writing(engine) as db:
        db.execute(update(tables.flags).values(state="acknowledged"))
    assert days.next(6) == []


def test_the_time_to_answer_runs_from_when_the_rep_was_told(engine, tmp_path):
    # Raised late on a Monday, told on Thursday, after quiet days.
    quiet = "quiet_days: [monday, tuesday, wednesday]\n"
    days = Days(engine, tmp_path, "escalate_after: 3 days\n" + quiet)
    days.meet()
    assert days.next(8) == [(3, "rep:sam", "opened"), (6, "rep:ada", "not acknowledged")]


def test_what_a_hold_silenced_is_told_once_it_is_over(engine, tmp_path):
    days = Days(engine, tmp_path)
    days.meet()
    with writing(engine) as db:
        holds.put(db, "acme", DAY + timedelta(days=4), at(DAY, 8))
    assert days.next(4) == []
    assert [row["state"] for row in rows(engine, tables.messages)] == ["dropped"]
    assert days.next(9) == [(5, "rep:sam", "opened"), (12, "rep:sam", "still open")]


def test_a_reminder_is_not_made_up_for_after_a_hold(engine, tmp_path):
    days = Days(engine, tmp_path)
    days.meet()
    days.next(1)
    with writing(engine) as db:
        holds.put(db, "acme", DAY + timedelta(days=20), at(DAY, 8))
    assert days.next(20) == []
    assert days.next(2) == [(21, "rep:sam", "still open")]


CRITICAL = """
rules:
  - {id: low, title: low, severity: low, when: {known_users: under 3}}
  - {id: crit, title: crit, severity: critical, when: {known_execs: at least 2}}
"""


def test_a_low_flag_that_a_critical_one_muted_is_told_when_that_is_over(engine, tmp_path):
    days = Days(engine, tmp_path, "digest: {up_to: none}\n", CRITICAL)
    days.take_in(event("contact", days.today, contact="eve", title="CEO"))
    days.meet()
    assert days.next(3) == [(0, "rep:sam", "opened")]
    (crit,) = [row for row in rows(engine, tables.messages) if row["state"] == "sent"]
    assert '"rule":"crit"' in crit["body"]
    days.take_in(event("contact", days.today, contact="eve", left=True))
    told = days.next(2)
    assert [reason for _, _, reason in told] == ["resolved", "opened"]
    assert days.next(5) == []


def test_a_manager_of_many_unanswered_flags_gets_them_in_one_digest_once(engine, tmp_path):
    days = Days(engine, tmp_path, "escalate_after: 3 days\ndigest: {many: 2}\n")
    more = [event("account", days.today, account=f"a{n}", owner="sam") for n in range(3)]
    days.take_in(*more)
    days.meet()
    days.next(2)
    before = len(rows(engine, tables.messages))
    days.next(4)
    found = rows(engine, tables.messages)[before:]
    assert {(row["recipient"], row["kind"], row["bundle"]) for row in found} == {
        ("rep:ada", "digest", f"digest/{DAY + timedelta(days=3)}")
    }
    assert len(found) == 4
    days.next(2)
    reminders = rows(engine, tables.messages)[before + 4 :]
    assert [(row["recipient"], row["reason"]) for row in reminders] == [
        ("rep:sam", "still open")
    ] * 4
