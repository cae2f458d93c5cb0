"""The floor: what the database alone takes for the same log and day buckets.

One statement a batch, one connection, nothing else: no queue, no validation, no conflicting
duplicates, no late events, no attributes, no facts, no rules, no flags.
"""

from collections.abc import Iterable

import msgspec
import psycopg

from bench.events import Event

STATEMENT = """
WITH given AS MATERIALIZED (
    SELECT source, id, type, time, subject, data,
        (time AT TIME ZONE 'UTC')::date - date '0001-01-01' + 1 AS day
    FROM json_to_recordset(%s)
        AS r(source text, id text, type text, time timestamptz, subject text, data jsonb)
    ORDER BY source, id
), logged AS (
    INSERT INTO events (source, id, type, time, account, body)
    SELECT source, id, type, time, subject, data::text FROM given
    ON CONFLICT (source, id) DO NOTHING
    RETURNING source, id
), fresh AS MATERIALIZED (
    SELECT given.* FROM given JOIN logged USING (source, id)
), used AS MATERIALIZED (
    SELECT subject, coalesce(data ->> 'user', '') AS contact, data ->> 'feature' AS feature, day,
        coalesce((data ->> 'count')::bigint, 1) AS n
    FROM fresh WHERE type = 'usage'
), usage AS (
    INSERT INTO usage_days (account, day, count)
    SELECT subject, day, sum(n) FROM used GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (account, day) DO UPDATE SET count = usage_days.count + excluded.count
), users AS (
    INSERT INTO feature_days (account, day, contact, feature, uses, minutes)
    SELECT subject, day, contact, feature, sum(n), 0 FROM used
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (account, day, contact, feature)
        DO UPDATE SET uses = feature_days.uses + excluded.uses
), pairs AS (
    SELECT subject, rep, contact, day, coalesce(data ->> 'direction', 'mutual') AS way
    FROM fresh, jsonb_array_elements_text(data -> 'reps') AS rep,
        jsonb_array_elements_text(data -> 'contacts') AS contact
    WHERE type = 'interaction'
)
INSERT INTO tie_days (account, rep, contact, day, mutual, outbound, inbound)
SELECT subject, rep, contact, day,
    100 * count(*) FILTER (WHERE way = 'mutual'),
    100 * count(*) FILTER (WHERE way = 'outbound'),
    100 * count(*) FILTER (WHERE way = 'inbound')
FROM pairs GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (account, rep, contact, day) DO UPDATE SET
    mutual = tie_days.mutual + excluded.mutual,
    outbound = tie_days.outbound + excluded.outbound,
    inbound = tie_days.inbound + excluded.inbound
"""


def take(db: psycopg.Connection, batches: Iterable[list[Event]]) -> None:
    """Apply the batches, each in a transaction of its own."""
    for batch in batches:
        db.execute(STATEMENT, (msgspec.json.encode(batch).decode(),))
        db.commit()
