"""Every table, in one place. Uniqueness, and with it most of what must never happen twice, lives
here.

A `day` in the stats tables is `date.toordinal()`: windows are then plain subtraction, the same in
both databases. Tables that people read (flags, sweeps) hold real dates.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A point in time: `timestamptz` in PostgreSQL, ISO 8601 text in UTC in SQLite.

    SQLite has no time type, and SQLAlchemy's substitute for it drops the offset.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Text for SQLite, else the database's own type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))  # type: ignore[arg-type]
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """UTC, in one fixed width, so that text sorts as time."""
        if value is None or dialect.name != "sqlite":
            return value
        return instant(value)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(str(value))


def instant(value: datetime) -> str:
    """The one text form of a point in time in the database: UTC, microseconds, fixed width."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def day_of(value: Any) -> Any:
    """A date, or None, from what the database gives: SQLite keeps one as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def moment_of(value: Any) -> Any:
    """A point in time, or None, from what the database gives: SQLite keeps one as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_ROW_ID = BigInteger().with_variant(Integer, "sqlite")
UNPLANNED = text("planned_at IS NULL")
IN_FORCE = text("undone_at IS NULL")
UNSENT = text("state IN ('waiting', 'sending')")
WAITING = text("state = 'waiting'")
UNLOGGED = text("NOT is_logged")
CLAIMED = text("backfill IS NOT NULL")
ALIASED = text("root IS NOT NULL")
LIVE_FLAG = text("state IN ('pending', 'open', 'acknowledged', 'snoozed', 'dismissed')")

workspace = Table(
    "workspace",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("demo", Boolean, nullable=False, server_default=text("false")),
    Column("half_life", Integer, nullable=False, server_default=text("60")),
    Column("first_interaction_day", Integer),
    Column("last_sweep_on", Date),
    Column("slack_paused_until", Instant),
    Column("delivery_at", Instant),
    Column("rules", Text),
    CheckConstraint("id = 1", name="one"),
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("files", Text, nullable=False),
    Column("first_used_at", Instant, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("account", Text),
    Column("body", Text, nullable=False),
    # Merges read all of an account, the portfolio report its few that tell much.
    Index("ix_events_account_type", "account", "type"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("source", Text),
    Column("event_id", Text),
    Column("problems", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("way", Text, nullable=False, server_default=text("'events'")),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("received", Integer),
    Column("applied", Integer),
    Column("duplicates", Integer),
    Column("quarantined", Integer),
    Column("waiting", Integer),
    Column("problems", Text),
    Column("error", Text),
    Column("payload", Text),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text),
    Column("segment", Text),
    Column("owner", Text),
    Column("seats", BigInteger),
    Column("mrr", Double),
    Column("currency", Text),
    Column("renewal_day", Integer),
    Column("lifecycle", Text),
    Column("domains", Text),
    Column("timezone", Text),
    Column("parent", Text),
    Column("region", Text),
    Column("stamps", Text),
    Column("first_day", Integer, nullable=False),
    Column("first_usage_day", Integer),
    Column("first_user_day", Integer),
    Column("subscriptions", Text),
    Column("subscribed_until", Instant),
)

contacts = Table(
    "contacts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("name", Text),
    Column("title", Text),
    Column("level", Text),
    Column("role", Text),
    Column("function", Text),
    Column("emails", Text),
    Column("gone", Boolean),
    Column("stamps", Text),
    Column("last_used", Integer),
    Column("used_before", Integer),
)

reps = Table(
    "reps",
    metadata,
    Column("rep", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("slack_user", Text),
    Column("timezone", Text),
    Column("manager", Text),
    Column("gone", Boolean),
    Column("stamps", Text),
)

tie_days = Table(
    "tie_days",
    metadata,
    Column("account", Text, primary_key=True),
    Column("rep", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("mutual", BigInteger, nullable=False),
    Column("outbound", BigInteger, nullable=False),
    Column("inbound", BigInteger, nullable=False),
)

ties = Table(
    "ties",
    metadata,
    Column("account", Text, primary_key=True),
    Column("rep", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("mutual", BigInteger, nullable=False),
    Column("outbound", BigInteger, nullable=False),
    Column("inbound", BigInteger, nullable=False),
    Column("past_mutual", Double, nullable=False),
    Column("past_outbound", Double, nullable=False),
    Column("past_inbound", Double, nullable=False),
    Column("active_days", Integer, nullable=False),
    Column("two_way_day", Integer),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# What the parts of the catalogue beyond the base are computed from. A touch or survey is added
# once and never looked up by itself: those tables have no key.
feature_days = Table(
    "feature_days",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("uses", BigInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False),
)

touches = Table(
    "touches",
    metadata,
    Column("account", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("contact", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("interactions", Integer, nullable=False),
    Column("copied", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_touches_account_day", "account", "day"),
)

surveys = Table(
    "surveys",
    metadata,
    Column("account", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("contact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("points", Integer, nullable=False),
    Column("score", Double),
    Column("at", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("ix_surveys_account_kind_day", "account", "kind", "day"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("priority", Text),
    Column("topic", Text),
    Column("defect", Text),
    Column("course", Text, nullable=False),
    Index("ix_tickets_account_day", "account", "day"),
    Index("ix_tickets_account_last_day", "account", "last_day"),
    Index(
        "ix_tickets_open",
        "account",
        postgresql_where=text("is_open"),
        sqlite_where=text("is_open"),
    ),
)

goals = Table(
    "goals",
    metadata,
    Column("account", Text, primary_key=True),
    Column("goal", Text, primary_key=True),
    Column("course", Text, nullable=False),
)

subscription_events = Table(
    "subscription_events",
    metadata,
    Column("account", Text, primary_key=True),
    Column("subscription", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("time", Instant, nullable=False),
    Column("data", Text, nullable=False),
)

source_days = Table(
    "source_days",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("type", Text, primary_key=True),
)

silent_sources = Table(
    "silent_sources",
    metadata,
    Column("source", Text, primary_key=True),
    Column("since_day", Integer, nullable=False),
    Column("is_back", Boolean, nullable=False, server_default=text("false")),
)

health_days = Table(
    "health_days",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("score", Integer),
    Column("settings", Text, nullable=False),
)

flags = Table(
    "flags",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("account", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_true_on", Date, nullable=False),
    Column("first_false_on", Date),
    Column("opened_on", Date),
    Column("resolved_on", Date),
    Column("shadow", Boolean, nullable=False, server_default=text("false")),
    Column("title", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("rules_hash", Text, nullable=False),
    Column("assignee", Text),
    Column("quiet_until", Date),
    Column("quiet_facts", Text),
    Index(
        "uq_flags_live",
        "account",
        "rule",
        unique=True,
        postgresql_where=LIVE_FLAG,
        sqlite_where=LIVE_FLAG,
    ),
    Index("ix_flags_account_rule", "account", "rule"),
)

flag_history = Table(
    "flag_history",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("flag", _ROW_ID, ForeignKey("flags.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("reasons", Text, nullable=False),
)

flag_answers = Table(
    "flag_answers",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("flag", _ROW_ID, ForeignKey("flags.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("slack_user", Text, nullable=False),
    Column("rep", Text),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    Column("until", Date),
)

slack_clicks = Table(
    "slack_clicks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=False),
    Column("starts", Integer, nullable=False, server_default=text("1")),
)

account_holds = Table(
    "account_holds",
    metadata,
    Column("account", Text, primary_key=True),
    Column("until", Date, nullable=False),
    Column("at", Instant, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("account", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    # The sweep that it is of: its alerts are planned together, when it is over.
    Column("sweep", _ROW_ID),
    # Whether its account churned before it was planned.
    Column("churned", Boolean, nullable=False, server_default=text("false")),
    Column("planned_at", Instant),
    # Of one that could not be planned: how often, when it is tried again, and the last error.
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("aside_until", Instant),
    Column("error", Text),
    Index("ix_outbox_unplanned", "id", postgresql_where=UNPLANNED, sqlite_where=UNPLANNED),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("recipient", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("flag", _ROW_ID, index=True),
    Column("reason", Text),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tried_at", Instant),
    Column("leased_until", Instant),
    Column("sent_at", Instant),
    Column("conversation", _ROW_ID, ForeignKey("conversations.id"), index=True),
    Column("channel", Text),
    Column("message_ts", Text),
    Column("why", Text),
    Column("error", Text),
    # For what a recipient has had today.
    Index("ix_messages_recipient_due_at", "recipient", "due_at"),
    # For taking the next bundle, and for seeing that nothing of its kind comes before it.
    Index("ix_messages_unsent", "due_at", "id", postgresql_where=UNSENT, sqlite_where=UNSENT),
    Index(
        "ix_messages_unsent_bundle",
        "recipient",
        "bundle",
        "id",
        postgresql_where=UNSENT,
        sqlite_where=UNSENT,
    ),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("account", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    # Whom or what it was posted to: a rep may become another user of Slack.
    Column("address", Text, nullable=False),
    Column("channel", Text),
    Column("root_ts", Text),
    Column("begun_at", Instant, nullable=False),
    Column("ended_on", Date),
    Index("ix_conversations_account_recipient", "account", "recipient"),
)

slack_channels = Table(
    "slack_channels",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),
)

slack_users = Table(
    "slack_users",
    metadata,
    Column("email", Text, primary_key=True),
    Column("slack_user", Text),
    Column("looked_up_at", Instant, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("previous_on", Date),
    Column("created_at", Instant, nullable=False),
    Index("uq_sweeps_kind_slot", "kind", "slot", unique=True),
)

sweep_shards = Table(
    "sweep_shards",
    metadata,
    Column("sweep", _ROW_ID, ForeignKey("sweeps.id"), primary_key=True),
    Column("shard", Integer, primary_key=True),
    Column("first_account", Text, nullable=False),
    Column("next_account", Text),
    Column("leased_until", Instant),
    Column("starts", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", Instant),
    Column("accounts", Integer),
    Column("opened", Integer),
    Column("resolved", Integer),
    Column("error", Text),
)

# What the gateway keeps: who may send, what waits for the broker, and whose account users are of.

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

spool = Table(
    "spool",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("batch", Text, nullable=False, unique=True),
    Column("payload", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("spooled_at", Instant, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("source", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    Column("account", Text),
    Column("stamp", Text),
    # The account before, if the last word on it has changed it.
    Column("was", Text),
    # The member that it is another name of: what is said of one is said of the other.
    Column("root", Text),
    # Whether it was history that said whose it is, while events that have waited for it are still
    # to be released; null if none are.
    Column("backfill", Boolean),
    Index(
        "ix_members_claimed",
        "source",
        "member",
        postgresql_where=CLAIMED,
        sqlite_where=CLAIMED,
    ),
    Index("ix_members_root", "source", "root", postgresql_where=ALIASED, sqlite_where=ALIASED),
)

waiting_events = Table(
    "waiting_events",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("member", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Index("ix_waiting_events_source_member", "source", "member"),
    Index("ix_waiting_events_received_at", "received_at"),
)

# Accounts and contacts that turned out to be one. What was undone stays, to be looked up.

account_merges = Table(
    "account_merges",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("account", Text, nullable=False),
    Column("survivor", Text, nullable=False),
    Column("merged_by", Text, nullable=False),
    Column("merged_at", Instant, nullable=False),
    Column("undone_by", Text),
    Column("undone_at", Instant),
    Index(
        "uq_account_merges_in_force",
        "account",
        unique=True,
        postgresql_where=IN_FORCE,
        sqlite_where=IN_FORCE,
    ),
)

contact_merges = Table(
    "contact_merges",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("survivor", Text, nullable=False),
    # Who that is in the end, if the survivor has been merged as well.
    Column("person", Text, nullable=False),
    # The source of the event that says so, if no person does, and when that was.
    Column("source", Text),
    Column("stamp", Text, nullable=False),
    Column("merged_by", Text, nullable=False),
    Column("merged_at", Instant, nullable=False),
    Column("undone_by", Text),
    Column("undone_at", Instant),
    Index(
        "uq_contact_merges_in_force",
        "account",
        "contact",
        unique=True,
        postgresql_where=IN_FORCE,
        sqlite_where=IN_FORCE,
    ),
)

# Who says that a domain or an address is theirs, by the stamp of the last event that did. An
# account has no person, a rep no account; a holding is their last word if its stamp is theirs.

holders = Table(
    "holders",
    metadata,
    Column("account", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
)

holdings = Table(
    "holdings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Index("ix_holdings_account_person", "account", "person"),
)

# The further accounts of events whose people are of several, besides the one that the log names.

shared_events = Table(
    "shared_events",
    metadata,
    Column("account", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Index("ix_shared_events_source_id", "source", "id"),
)

# Events with people of whom nobody has said whose they are, and what is to be held for that to be
# known; `nearest` is the one to ask for. Others of their people may be known: those are logged.

waiting_mails = Table(
    "waiting_mails",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("is_logged", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    # For those that have waited for too long. Of those logged no more is at stake than a part.
    Index(
        "ix_waiting_mails_received_at",
        "received_at",
        postgresql_where=UNLOGGED,
        sqlite_where=UNLOGGED,
    ),
)

waiting_keys = Table(
    "waiting_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("nearest", Boolean, nullable=False),
    Index("ix_waiting_keys_source_id", "source", "id"),
)

# What is in quarantine since several accounts claim one of its people, and by a word on which
# domains and addresses that may be settled.

disputes = Table(
    "disputes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Index("ix_disputes_digest", "digest"),
)

# The accounts of events that are logged as of some of their people while others are in dispute.

dispute_accounts = Table(
    "dispute_accounts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account", Text, primary_key=True),
)

# The domains and addresses on which there has been a word, while events that wait for it are still
# to be released: of very many each step releases some. `backfill` is that of the batch that brought
# the word, `looked` the digest up to which disputes over it have been looked at since.

claimed_keys = Table(
    "claimed_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("backfill", Boolean, nullable=False),
    Column("looked", Text, nullable=False, server_default=text("''")),
    Index("ix_claimed_keys_backfill", "backfill"),
)

# The accounts whose events have all been read anew since holdings changed last, while further steps
# release what waited for that: it need not be done again for each step.

reread_accounts = Table(
    "reread_accounts",
    metadata,
    Column("account", Text, primary_key=True),
)

# Accounts that are to be made anew, and are too large for the batch that has said so; `backfill` is
# that batch's, and with `lost` it was found then that events of the account are another's now.

accounts_behind = Table(
    "accounts_behind",
    metadata,
    Column("account", Text, primary_key=True),
    Column("backfill", Boolean, nullable=False),
    Column("lost", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
)

# What other systems are told: the messages, where each system stands, the facts it was told last.

webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("webhook", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", Instant),
    Column("error", Text),
    # For what is due next, and for seeing that nothing of its account comes before it.
    Index(
        "ix_webhook_messages_waiting",
        "webhook",
        "due_at",
        "id",
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    ),
    Index(
        "ix_webhook_messages_waiting_account",
        "webhook",
        "account",
        "id",
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    ),
    Index("ix_webhook_messages_state_ended_at", "state", "ended_at"),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("leased_until", Instant),
    Column("paused_until", Instant),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("stopped_at", Instant),
    Column("error", Text),
)

webhook_facts = Table(
    "webhook_facts",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("facts", Text, nullable=False),
)
