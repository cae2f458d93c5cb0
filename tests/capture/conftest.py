"""A gateway that Slack's requests come to, its database, and the workspace that it calls."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.capture.workspace import SECRET, TEAM, Person, Workspace, served
from tests.pipeline import at, event, meeting, rows, rulebook, take_in
from worker.capture.app import gateway
from worker.capture.asking import Desk
from worker.capture.slack import listener, router
from worker.rulebooks.rulebook import Rulebook
from worker.slack.sender import SlackConfig, client
from worker.store import tables

D = date(2026, 2, 18)
NOW = at(D, 15)

RULES = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: high
    when: {days_since_contact: over 5 days}
    advice: Call them.
  - id: no-exec
    title: "{exec_ties} exec ties"
    severity: medium
    when: {exec_ties: fewer than 1}
"""


@dataclass
class Office:
    """The gateway and what is behind it."""

    engine: Engine
    book: Rulebook
    slack: Workspace
    port: int
    now: datetime = NOW
    deliveries: list[datetime] = field(default_factory=list)

    def person(self, user: str, team: str = TEAM) -> Person:
        return Person(self.port, user, self.now, self.slack, team)

    @property
    def flag(self) -> int:
        """The flag of the silence."""
        return next(int(row["id"]) for row in self._flags() if row["rule"] == "silence")

    @property
    def state(self) -> str:
        return next(str(row["state"]) for row in self._flags() if row["rule"] == "silence")

    @property
    def answers(self) -> list[dict[str, object]]:
        return rows(self.engine, tables.flag_answers)

    def _flags(self) -> list[dict[str, object]]:
        return rows(self.engine, tables.flags)


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace().run() as workspace:
        yield workspace


@pytest.fixture
def office(engine: Engine, tmp_path: Path, slack: Workspace) -> Iterator[Office]:
    """Sam's account acme has not been met for six days; Kim is Sam's manager."""
    book = rulebook(tmp_path, RULES)
    old = D - timedelta(6)
    take_in(
        engine,
        book,
        D,
        event(
            "rep", old, account=None, rep="sam", name="Sam Ito", slack_user="USAM", manager="kim"
        ),
        event("rep", old, account=None, rep="kim", name="Kim Wu", email="Kim@example.com"),
        event("rep", old, account=None, rep="lee", name="Lee Fox", slack_user="ULEE"),
        event("account", old, name="Acme <Corp>", owner="sam", mrr=900, currency="EUR"),
        event("contact", old, contact="dana", name="Dana Ruiz", title="Analyst"),
        meeting(old),
    )
    deliveries: list[datetime] = []
    desk = Desk(engine, lambda work: work(book), lambda: NOW, lambda: deliveries.append(NOW))
    with ThreadPoolExecutor(8) as executor:
        app = listener(desk, client(SlackConfig(token="xoxb-1", base_url=slack.url)), executor)
        with served(gateway([router(app, SECRET, desk)])) as port:
            yield Office(engine, book, slack, port, deliveries=deliveries)
