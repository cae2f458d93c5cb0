"""The stats of the catalogue's further parts: what events add to them, and reading them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from worker.core.additions import Additions
from worker.core.catalogue import Part
from worker.core.contacts import decision_level
from worker.core.contents import Survey
from worker.core.events import Event
from worker.core.exchanges import CONTACT_DAYS, RHYTHM_DAYS
from worker.core.facts import measures_of
from worker.core.metrics import Metrics
from worker.core.reading import Reading
from worker.core.stats import AccountStats, Mail
from worker.core.support import SUPPORT_DAYS
from worker.core.titles import EXEC_LEVELS
from worker.core.voice import YEAR, Said, answer, said_in, voice_of
from worker.store.courses import ask_courses, decode_course
from worker.store.dialect import Rows, answer_now, execute_among, execute_rows
from worker.store.measures import ask_measures

Fill = Callable[[Mapping[str, AccountStats]], None]
"""Adds what was read of accounts to their stats."""


def ask_parts(db: Connection, add: Additions) -> Callable[[], None]:
    """Add what is only added; the function returned adds to what was there before, too."""
    if add.touches:
        _add_touches(db, add)
    if add.surveys:
        _add_surveys(db, add.surveys)
    return ask_courses(db, add.courses)


def _add_touches(db: Connection, add: Additions) -> None:
    columns = "account, day, contact, channel, direction, minutes, interactions, copied, at"
    execute_rows(
        db,
        f"INSERT INTO touches ({columns}) SELECT {columns} FROM {{rows}} WHERE true",
        {
            "account": "text",
            "day": "int",
            "contact": "text",
            "channel": "text",
            "direction": "text",
            "minutes": "bigint",
            "interactions": "int",
            "copied": "int",
            "at": "bigint",
        },
        [(account, *touch, at) for account, touch, at in add.touches],
    )


def _add_surveys(db: Connection, events: Sequence[Event]) -> None:
    columns = {
        "account": "text",
        "day": "int",
        "contact": "text",
        "kind": "text",
        "answer": "text",
        "points": "int",
        "score": "float8",
        "at": "bigint",
        "id": "text",
        "source": "text",
    }
    rows = []
    for event in events:
        if isinstance(event.data, Survey):
            said = said_in(event, event.data)
            score = None if isinstance(said.score, str) else said.score
            of = answer(said)
            told = (of.day, of.contact, of.kind, of.answer, of.points)
            rows.append((event.account, *told, score, said.at, said.id, said.source))
    names = ", ".join(columns)
    execute_rows(
        db,
        f"INSERT INTO surveys ({names}) SELECT {names} FROM {{rows}} WHERE true",
        columns,
        rows,
    )


def send_features(db: Connection, add: Additions) -> Rows:
    """Add to the days of users and features; returns the uses that each has come to."""
    return execute_rows(
        db,
        """
        INSERT INTO feature_days (account, day, contact, feature, uses, minutes)
        SELECT account, day, contact, feature, uses, minutes FROM {rows} WHERE true
        ON CONFLICT (account, day, contact, feature) DO UPDATE SET
            uses = feature_days.uses + excluded.uses,
            minutes = feature_days.minutes + excluded.minutes
        RETURNING account, day, contact, feature, uses
        """,
        {
            "account": "text",
            "day": "int",
            "contact": "text",
            "feature": "text",
            "uses": "bigint",
            "minutes": "bigint",
        },
        [(*key, *sums) for key, sums in sorted(add.feature_days.items())],
    )


def ask(
    db: Connection, accounts: Sequence[str], on: int, reading: Reading, metrics: Metrics
) -> Fill:
    """Ask for what a reading takes beyond the base; the function returned adds it to the stats."""
    measures = measures_of(reading, metrics, on)
    measured = ask_measures(db, accounts, on, measures)
    asked = [
        _ASK[part](db, accounts, on) for part in Part if part in reading.parts and part in _ASK
    ]

    def answer(stats: Mapping[str, AccountStats]) -> None:
        # It takes the people, and is worked on while the other answers are read.
        met = [_ask_met(db, stats, on)] if Part.RHYTHM in reading.parts else []
        found, nothing = measured(), dict.fromkeys(measures, 0)
        for account, one in stats.items():
            one.reading = reading
            one.measures = nothing | found.get(account, {})
        for fill in (*asked, *met):
            fill(stats)

    return answer


def _ask_met(db: Connection, stats: Mapping[str, AccountStats], on: int) -> Fill:
    """Days of contact with executives, by way of the key of their ties."""
    first = on - RHYTHM_DAYS
    keys = []
    for account, one in stats.items():
        execs = {c.contact for c in one.contacts if decision_level(c.level, c.title) in EXEC_LEVELS}
        keys += [
            (account, tie.rep, tie.contact)
            for tie in one.ties
            if tie.state.day > first and tie.contact in execs
        ]
    if not keys:
        return lambda stats: None
    rows = execute_rows(
        db,
        """
        SELECT d.account, d.contact, d.day FROM {rows} JOIN tie_days d
            ON d.account = r.account AND d.rep = r.rep AND d.contact = r.contact
        WHERE d.day > :first AND d.day <= :on
        """,
        {"account": "text", "rep": "text", "contact": "text"},
        sorted(keys),
        first=first,
        on=on,
    )
    answer_now(db)

    def fill(stats: Mapping[str, AccountStats]) -> None:
        for account, contact, day in rows:
            stats[account].met.add((contact, day))

    return fill


def _ask_mails(db: Connection, accounts: Sequence[str], on: int) -> Fill:
    rows = execute_among(
        db,
        """
        SELECT account, contact, at, direction = 'inbound', day FROM touches
        WHERE account {among} AND day BETWEEN :first AND :on AND channel = 'email'
            AND (direction = 'outbound' OR (direction = 'inbound' AND copied = 0))
        """,
        accounts,
        first=on - CONTACT_DAYS,
        on=on,
    )

    def fill(stats: Mapping[str, AccountStats]) -> None:
        for account, contact, at, inbound, day in rows:
            stats[account].mails.append(Mail(contact, at, bool(inbound), day))

    return fill


def _ask_goals(db: Connection, accounts: Sequence[str], on: int) -> Fill:
    rows = execute_among(db, "SELECT account, course FROM goals WHERE account {among}", accounts)

    def fill(stats: Mapping[str, AccountStats]) -> None:
        for account, course in rows:
            stats[account].goals.append(decode_course(course))

    return fill


def _ask_voice(db: Connection, accounts: Sequence[str], on: int) -> Fill:
    """The NPS surveys of the year, and the latest of each kind."""
    rows = execute_among(
        db,
        """
        SELECT s.account, s.day, s.at, s.id, s.source, s.kind, s.score, s.answer, s.contact
        FROM (
            SELECT a.account, k.kind, (
                SELECT max(l.day) FROM surveys l
                WHERE l.account = a.account AND l.kind = k.kind AND l.day <= :on
            ) AS last
            FROM accounts a CROSS JOIN (
                SELECT 'nps' AS kind UNION ALL SELECT 'csat' UNION ALL SELECT 'perception'
            ) AS k
            WHERE a.account {among}
        ) AS latest JOIN surveys s ON s.account = latest.account AND s.kind = latest.kind
            AND s.day <= :on
            AND s.day >= CASE WHEN latest.kind = 'nps' AND latest.last > :first
                THEN :first + 1 ELSE latest.last END
        """,
        accounts,
        first=on - YEAR,
        on=on,
    )

    def fill(stats: Mapping[str, AccountStats]) -> None:
        said: dict[str, list[Said]] = defaultdict(list)
        for account, day, at, id_, source, kind, score, word, contact in rows:
            said[account].append(
                Said(day, at, id_, source, kind, word if score is None else score, contact)
            )
        for account, answers in said.items():
            stats[account].voice = voice_of(answers, on)

    return fill


def _ask_tickets(db: Connection, accounts: Sequence[str], on: int) -> Fill:
    rows = execute_among(
        db,
        """
        SELECT account, course, CAST(NULL AS int) FROM tickets WHERE account {among} AND is_open
        UNION ALL
        SELECT account, course, CAST(NULL AS int) FROM tickets
        WHERE account {among} AND last_day >= :first AND NOT is_open
        UNION ALL
        SELECT account, CAST(NULL AS text),
            (SELECT min(day) FROM tickets t WHERE t.account = a.account)
        FROM accounts a WHERE account {among}
        """,
        accounts,
        first=on - SUPPORT_DAYS,
    )

    def fill(stats: Mapping[str, AccountStats]) -> None:
        for account, course, first_day in rows:
            if course is None:
                stats[account].tickets.first_day = first_day
            else:
                stats[account].tickets.courses.append(decode_course(course))

    return fill


_ASK = {
    Part.RESPONSES: _ask_mails,
    Part.SUCCESS: _ask_goals,
    Part.VOICE: _ask_voice,
    Part.SUPPORT: _ask_tickets,
}
