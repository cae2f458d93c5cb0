"""The first tables."""

import sqlalchemy as sa
from alembic import op

from worker.store.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account_holds",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_holds")),
    )
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("seats", sa.BigInteger(), nullable=True),
        sa.Column("mrr", sa.Double(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("renewal_day", sa.Integer(), nullable=True),
        sa.Column("lifecycle", sa.Text(), nullable=True),
        sa.Column("domains", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("stamps", sa.Text(), nullable=True),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("first_usage_day", sa.Integer(), nullable=True),
        sa.Column("first_user_day", sa.Integer(), nullable=True),
        sa.Column("subscriptions", sa.Text(), nullable=True),
        sa.Column("subscribed_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("received", sa.Integer(), nullable=True),
        sa.Column("applied", sa.Integer(), nullable=True),
        sa.Column("duplicates", sa.Integer(), nullable=True),
        sa.Column("quarantined", sa.Integer(), nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "contacts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("function", sa.Text(), nullable=True),
        sa.Column("emails", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=True),
        sa.Column("stamps", sa.Text(), nullable=True),
        sa.Column("last_used", sa.Integer(), nullable=True),
        sa.Column("used_before", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("account", "contact", name=op.f("pk_contacts")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("root_ts", sa.Text(), nullable=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversations_account_recipient", ["account", "recipient"], unique=False
        )

    op.create_table(
        "events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_account_type", ["account", "type"], unique=False)

    op.create_table(
        "flags",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_true_on", sa.Date(), nullable=False),
        sa.Column("first_false_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("shadow", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("rules_hash", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("quiet_until", sa.Date(), nullable=True),
        sa.Column("quiet_facts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
    )
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.create_index("ix_flags_account_rule", ["account", "rule"], unique=False)
        batch_op.create_index(
            "uq_flags_live",
            ["account", "rule"],
            unique=True,
            postgresql_where=sa.text(
                "state IN ('pending', 'open', 'acknowledged', 'snoozed', 'dismissed')"
            ),
            sqlite_where=sa.text(
                "state IN ('pending', 'open', 'acknowledged', 'snoozed', 'dismissed')"
            ),
        )

    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sweep", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("churned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("planned_at", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("aside_until", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_unplanned",
            ["id"],
            unique=False,
            postgresql_where=sa.text("planned_at IS NULL"),
            sqlite_where=sa.text("planned_at IS NULL"),
        )

    op.create_table(
        "quarantine",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("way", sa.Text(), server_default=sa.text("'events'"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "reps",
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("slack_user", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("manager", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=True),
        sa.Column("stamps", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("rep", name=op.f("pk_reps")),
    )
    op.create_table(
        "rule_sets",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("first_used_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rule_sets")),
    )
    op.create_table(
        "source_days",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "type", name=op.f("pk_source_days")),
    )
    op.create_table(
        "health_days",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_health_days")),
    )
    op.create_table(
        "silent_sources",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since_day", sa.Integer(), nullable=False),
        sa.Column("is_back", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_silent_sources")),
    )
    op.create_table(
        "slack_channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_slack_channels")),
    )
    op.create_table(
        "slack_clicks",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=False),
        sa.Column("starts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_slack_clicks")),
    )
    op.create_table(
        "slack_users",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("slack_user", sa.Text(), nullable=True),
        sa.Column("looked_up_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_slack_users")),
    )
    op.create_table(
        "subscription_events",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account", "subscription", "source", "id", name=op.f("pk_subscription_events")
        ),
    )
    op.create_table(
        "sweeps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("previous_on", sa.Date(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
    )
    with op.batch_alter_table("sweeps", schema=None) as batch_op:
        batch_op.create_index("uq_sweeps_kind_slot", ["kind", "slot"], unique=True)

    op.create_table(
        "tie_days",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("mutual", sa.BigInteger(), nullable=False),
        sa.Column("outbound", sa.BigInteger(), nullable=False),
        sa.Column("inbound", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "rep", "contact", "day", name=op.f("pk_tie_days")),
    )
    op.create_table(
        "ties",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("mutual", sa.BigInteger(), nullable=False),
        sa.Column("outbound", sa.BigInteger(), nullable=False),
        sa.Column("inbound", sa.BigInteger(), nullable=False),
        sa.Column("past_mutual", sa.Double(), nullable=False),
        sa.Column("past_outbound", sa.Double(), nullable=False),
        sa.Column("past_inbound", sa.Double(), nullable=False),
        sa.Column("active_days", sa.Integer(), nullable=False),
        sa.Column("two_way_day", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("account", "rep", "contact", name=op.f("pk_ties")),
    )
    op.create_table(
        "usage_days",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_usage_days")),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("demo", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("half_life", sa.Integer(), server_default=sa.text("(60)"), nullable=False),
        sa.Column("first_interaction_day", sa.Integer(), nullable=True),
        sa.Column("last_sweep_on", sa.Date(), nullable=True),
        sa.Column("slack_paused_until", Instant(), nullable=True),
        sa.Column("delivery_at", Instant(), nullable=True),
        sa.Column("rules", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_workspace_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
    )
    op.create_table(
        "flag_answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("flag", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("slack_user", sa.Text(), nullable=False),
        sa.Column("rep", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_flag_answers_flag")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_answers")),
        sa.UniqueConstraint("key", name=op.f("uq_flag_answers_key")),
    )
    with op.batch_alter_table("flag_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_answers_flag"), ["flag"], unique=False)

    op.create_table(
        "flag_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_flag_history_flag")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_history")),
    )
    with op.batch_alter_table("flag_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_history_flag"), ["flag"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("flag", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column(
            "conversation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("message_ts", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name=op.f("fk_messages_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_messages_conversation"), ["conversation"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_messages_flag"), ["flag"], unique=False)
        batch_op.create_index("ix_messages_recipient_due_at", ["recipient", "due_at"], unique=False)
        batch_op.create_index(
            "ix_messages_unsent",
            ["due_at", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.create_index(
            "ix_messages_unsent_bundle",
            ["recipient", "bundle", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        )

    op.create_table(
        "sweep_shards",
        sa.Column("sweep", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("first_account", sa.Text(), nullable=False),
        sa.Column("next_account", sa.Text(), nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("starts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("accounts", sa.Integer(), nullable=True),
        sa.Column("opened", sa.Integer(), nullable=True),
        sa.Column("resolved", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["sweep"], ["sweeps.id"], name=op.f("fk_sweep_shards_sweep")),
        sa.PrimaryKeyConstraint("sweep", "shard", name=op.f("pk_sweep_shards")),
    )
    op.execute("INSERT INTO workspace (id) VALUES (1)")
    # The gateway's.
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "spool",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("spooled_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spool")),
        sa.UniqueConstraint("batch", name=op.f("uq_spool_batch")),
    )
    op.create_table(
        "members",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("was", sa.Text(), nullable=True),
        sa.Column("root", sa.Text(), nullable=True),
        sa.Column("backfill", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("source", "member", name=op.f("pk_members")),
    )
    op.create_index(
        "ix_members_claimed",
        "members",
        ["source", "member"],
        postgresql_where=sa.text("backfill IS NOT NULL"),
        sqlite_where=sa.text("backfill IS NOT NULL"),
    )
    op.create_index(
        "ix_members_root",
        "members",
        ["source", "root"],
        postgresql_where=sa.text("root IS NOT NULL"),
        sqlite_where=sa.text("root IS NOT NULL"),
    )
    op.create_table(
        "waiting_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_waiting_events")),
    )
    op.create_index("ix_waiting_events_source_member", "waiting_events", ["source", "member"])
    op.create_index("ix_waiting_events_received_at", "waiting_events", ["received_at"])
    op.create_table(
        "account_merges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("survivor", sa.Text(), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_merges")),
    )
    op.create_index(
        "uq_account_merges_in_force",
        "account_merges",
        ["account"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "contact_merges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("survivor", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merges")),
    )
    op.create_index(
        "uq_contact_merges_in_force",
        "contact_merges",
        ["account", "contact"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    # Of people known by their addresses.
    op.create_table(
        "holders",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "person", name=op.f("pk_holders")),
    )
    op.create_table(
        "holdings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "account", "person", name=op.f("pk_holdings")),
    )
    op.create_index("ix_holdings_account_person", "holdings", ["account", "person"])
    op.create_table(
        "shared_events",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "source", "id", name=op.f("pk_shared_events")),
    )
    op.create_index("ix_shared_events_source_id", "shared_events", ["source", "id"])
    op.create_table(
        "waiting_mails",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_logged", sa.Boolean(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_waiting_mails")),
    )
    op.create_index(
        "ix_waiting_mails_received_at",
        "waiting_mails",
        ["received_at"],
        postgresql_where=sa.text("NOT is_logged"),
        sqlite_where=sa.text("NOT is_logged"),
    )
    op.create_table(
        "waiting_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("nearest", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", "source", "id", name=op.f("pk_waiting_keys")),
    )
    op.create_index("ix_waiting_keys_source_id", "waiting_keys", ["source", "id"])
    op.create_table(
        "disputes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "digest", name=op.f("pk_disputes")),
    )
    op.create_index("ix_disputes_digest", "disputes", ["digest"])
    op.create_table(
        "dispute_accounts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "account", name=op.f("pk_dispute_accounts")),
    )
    op.create_table(
        "accounts_behind",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts_behind")),
    )
    op.create_table(
        "claimed_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("looked", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_claimed_keys")),
    )
    op.create_index("ix_claimed_keys_backfill", "claimed_keys", ["backfill"])
    op.create_table(
        "reread_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_reread_accounts")),
    )
    # Of the facts.
    op.create_table(
        "feature_days",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account", "day", "contact", "feature", name=op.f("pk_feature_days")
        ),
    )
    op.create_table(
        "goals",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "goal", name=op.f("pk_goals")),
    )
    op.create_table(
        "surveys",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
    )
    op.create_index("ix_surveys_account_kind_day", "surveys", ["account", "kind", "day"])
    op.create_table(
        "tickets",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("defect", sa.Text(), nullable=True),
        sa.Column("course", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "ticket", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_account_day", "tickets", ["account", "day"])
    op.create_index("ix_tickets_account_last_day", "tickets", ["account", "last_day"])
    op.create_index(
        "ix_tickets_open",
        "tickets",
        ["account"],
        postgresql_where=sa.text("is_open"),
        sqlite_where=sa.text("is_open"),
    )
    op.create_table(
        "touches",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("interactions", sa.Integer(), nullable=False),
        sa.Column("copied", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_touches_account_day", "touches", ["account", "day"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("webhook", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "webhook_facts",
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("webhook", "account", name=op.f("pk_webhook_facts")),
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_webhook_messages_key")),
    )
    with op.batch_alter_table("webhook_messages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_messages_waiting",
            ["webhook", "due_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_webhook_messages_waiting_account",
            ["webhook", "account", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_webhook_messages_state_ended_at", ["state", "ended_at"], unique=False
        )


def downgrade() -> None:
    op.drop_table("webhook_facts")
    op.drop_table("webhook_endpoints")
    with op.batch_alter_table("webhook_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_messages_state_ended_at")
        batch_op.drop_index(
            "ix_webhook_messages_waiting_account",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(
            "ix_webhook_messages_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("webhook_messages")
    for name in ("touches", "tickets", "surveys", "goals", "feature_days"):
        op.drop_table(name)
    for name in ("accounts_behind", "reread_accounts", "claimed_keys", "dispute_accounts"):
        op.drop_table(name)
    for name in ("disputes", "waiting_keys", "waiting_mails"):
        op.drop_table(name)
    for name in ("shared_events", "holdings", "holders"):
        op.drop_table(name)
    op.drop_index(
        "uq_contact_merges_in_force",
        "contact_merges",
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    op.drop_table("contact_merges")
    op.drop_index(
        "uq_account_merges_in_force",
        "account_merges",
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    op.drop_table("account_merges")
    op.drop_index("ix_waiting_events_source_member", "waiting_events")
    op.drop_table("waiting_events")
    op.drop_table("members")
    op.drop_table("spool")
    op.drop_table("api_keys")
    op.drop_table("sweep_shards")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_messages_unsent_bundle",
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.drop_index(
            "ix_messages_unsent",
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.drop_index("ix_messages_recipient_due_at")
        batch_op.drop_index(batch_op.f("ix_messages_flag"))
        batch_op.drop_index(batch_op.f("ix_messages_conversation"))

    op.drop_table("messages")
    with op.batch_alter_table("flag_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_history_flag"))

    op.drop_table("flag_history")
    with op.batch_alter_table("flag_answers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_answers_flag"))

    op.drop_table("flag_answers")
    op.drop_table("workspace")
    op.drop_table("usage_days")
    op.drop_table("ties")
    op.drop_table("tie_days")
    with op.batch_alter_table("sweeps", schema=None) as batch_op:
        batch_op.drop_index("uq_sweeps_kind_slot")

    op.drop_table("sweeps")
    op.drop_table("subscription_events")
    op.drop_table("silent_sources")
    op.drop_table("health_days")
    op.drop_table("source_days")
    op.drop_table("slack_users")
    op.drop_table("slack_clicks")
    op.drop_table("slack_channels")
    op.drop_table("rule_sets")
    op.drop_table("reps")
    op.drop_table("quarantine")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_unplanned",
            postgresql_where=sa.text("planned_at IS NULL"),
            sqlite_where=sa.text("planned_at IS NULL"),
        )

    op.drop_table("outbox")
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_flags_live",
            postgresql_where=sa.text(
                "state IN ('pending', 'open', 'acknowledged', 'snoozed', 'dismissed')"
            ),
            sqlite_where=sa.text(
                "state IN ('pending', 'open', 'acknowledged', 'snoozed', 'dismissed')"
            ),
        )
        batch_op.drop_index("ix_flags_account_rule")

    op.drop_table("flags")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_account_type")

    op.drop_table("events")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index("ix_conversations_account_recipient")

    op.drop_table("conversations")
    op.drop_table("contacts")
    op.drop_table("batches")
    op.drop_table("accounts")
    op.drop_table("account_holds")
