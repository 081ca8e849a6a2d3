"""The first schema"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0001"
down_revision = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()


def primary_key(table: str, *shard: str) -> sa.PrimaryKeyConstraint:
    """SQLite numbers rows by a key of one column; on PostgreSQL every unique key also holds
    what a distributed one would shard by, and what the table is partitioned by."""
    columns = ("id", *shard) if op.get_bind().dialect.name == "postgresql" else ("id",)
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", INT64, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=True),
        sa.Column("link_hash", TEXT, nullable=True),
        sa.Column("link_expires_at", UTC, nullable=True),
        sa.Column("session_salt", TEXT, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", INT64, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("partner", TEXT, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("revoked_at", UTC, nullable=True),
        sa.Column("last_used_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_table(
        "arrival",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("stored_id", INT64, nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fine_value", sa.SmallInteger(), nullable=True),
        sa.Column("coarse_value", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("interaction_type", TEXT, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("claims", sa.Text(), nullable=True),
        primary_key("arrival", "identity"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_arrival_stored_id"), ["stored_id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("delivery_id", INT64, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("url", TEXT, nullable=False),
        primary_key("attempt", "delivery_id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "count_day",
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("framework", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("conversion_type", TEXT, nullable=False),
        sa.Column("did_win", sa.Boolean(), nullable=False),
        sa.Column("fine_value", sa.Integer(), nullable=False),
        sa.Column("coarse_value", TEXT, nullable=False),
        sa.Column("day", UTC, nullable=False),
        sa.Column("source_identifier", TEXT, nullable=False),
        sa.Column("source_app_id", INT64, nullable=False),
        sa.Column("source_domain", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("n", INT64, nullable=False),
        sa.PrimaryKeyConstraint(
            "app_id",
            "ad_network_id",
            "framework",
            "version",
            "window",
            "verdict",
            "counted",
            "conversion_type",
            "did_win",
            "fine_value",
            "coarse_value",
            "day",
            "source_identifier",
            "source_app_id",
            "source_domain",
            "country",
            name=op.f("pk_count_day"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "count_hour",
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("framework", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("conversion_type", TEXT, nullable=False),
        sa.Column("did_win", sa.Boolean(), nullable=False),
        sa.Column("fine_value", sa.Integer(), nullable=False),
        sa.Column("coarse_value", TEXT, nullable=False),
        sa.Column("hour", UTC, nullable=False),
        sa.Column("n", INT64, nullable=False),
        sa.PrimaryKeyConstraint(
            "app_id",
            "ad_network_id",
            "framework",
            "version",
            "window",
            "verdict",
            "counted",
            "conversion_type",
            "did_win",
            "fine_value",
            "coarse_value",
            "hour",
            name=op.f("pk_count_hour"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("stored_id", INT64, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UTC, nullable=False),
        sa.Column("claim_id", TEXT, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("settled_at", UTC, nullable=True),
        primary_key("delivery", "identity"),
        sa.UniqueConstraint(
            "identity",
            "stored_id",
            "destination",
            name=op.f("uq_delivery_identity_stored_id_destination"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due",
            ["destination", "next_at"],
            unique=False,
            postgresql_where=sa.text("state IN ('owed', 'leased')"),
            sqlite_where=sa.text("state IN ('owed', 'leased')"),
        )

    op.create_table(
        "fresh",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("stored_id", INT64, nullable=False),
        sa.Column("delta", sa.SmallInteger(), nullable=False),
        sa.Column("fine_value", sa.SmallInteger(), nullable=True),
        sa.Column("coarse_value", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        primary_key("fresh", "identity"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "imported_chunk",
        sa.Column("file", TEXT, nullable=False),
        sa.Column("chunk", INT64, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("file", "chunk", name=op.f("pk_imported_chunk")),
    )
    op.create_table(
        "imported_schema",
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("imported_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "content_hash", name=op.f("pk_imported_schema")),
    )
    op.create_table(
        "postback",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signed_message", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("framework", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("postback_id", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("window", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", INT64, nullable=True),
        sa.Column("source_identifier", TEXT, nullable=True),
        sa.Column("conversion_type", TEXT, nullable=True),
        sa.Column("did_win", sa.Boolean(), nullable=False),
        sa.Column("fidelity_type", INT64, nullable=True),
        sa.Column("source_app_id", INT64, nullable=True),
        sa.Column("source_domain", TEXT, nullable=True),
        sa.Column("marketplace_id", TEXT, nullable=True),
        sa.Column("impression_type", TEXT, nullable=True),
        sa.Column("fine_value", sa.SmallInteger(), nullable=True),
        sa.Column("coarse_value", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("interaction_type", TEXT, nullable=True),
        sa.Column("flags", TEXT, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("collides_with", INT64, nullable=True),
        sa.Column("supersedes", INT64, nullable=True),
        primary_key("postback", "identity", "received_at"),
        sqlite_autoincrement=True,
        # A month is dropped at once when it is no longer kept.
        postgresql_partition_by="RANGE (received_at)",
    )
    with op.batch_alter_table("postback", schema=None) as batch_op:
        batch_op.create_index(
            "ix_postback_collides_with",
            ["collides_with"],
            unique=False,
            postgresql_where=sa.text("collides_with IS NOT NULL"),
            sqlite_where=sa.text("collides_with IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_postback_received_at"), ["received_at"], unique=False)
        batch_op.create_index(
            "ix_postback_supersedes",
            ["supersedes"],
            unique=False,
            postgresql_where=sa.text("supersedes IS NOT NULL"),
            sqlite_where=sa.text("supersedes IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_postback_unvouched",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text("verdict NOT IN ('valid', 'development')"),
            sqlite_where=sa.text("verdict NOT IN ('valid', 'development')"),
        )

    op.create_table(
        "quarantine",
        sa.Column("id", INT64, nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("member", TEXT, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("verbatim", sa.LargeBinary(), nullable=True),
        sa.Column("claims", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quarantine_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "registered",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_registered")),
    )
    op.create_table(
        "schema_version",
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("encoder", TEXT, nullable=False),
        sa.Column("effective_from", UTC, nullable=False),
        sa.Column("rollout_hours", sa.Integer(), nullable=False),
        sa.Column("published_at", UTC, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "number", name=op.f("pk_schema_version")),
    )
    op.create_table(
        "seen",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("stored_id", INT64, nullable=False),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seen")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("rows", INT64, nullable=False),
        sa.Column("bytes", INT64, nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_usage")),
    )


def downgrade() -> None:
    op.drop_table("usage")
    op.drop_table("seen")
    op.drop_table("schema_version")
    op.drop_table("registered")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_received_at"))

    op.drop_table("quarantine")
    with op.batch_alter_table("postback", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_postback_unvouched",
            postgresql_where=sa.text("verdict NOT IN ('valid', 'development')"),
            sqlite_where=sa.text("verdict NOT IN ('valid', 'development')"),
        )
        batch_op.drop_index(
            "ix_postback_supersedes",
            postgresql_where=sa.text("supersedes IS NOT NULL"),
            sqlite_where=sa.text("supersedes IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_postback_received_at"))
        batch_op.drop_index(
            "ix_postback_collides_with",
            postgresql_where=sa.text("collides_with IS NOT NULL"),
            sqlite_where=sa.text("collides_with IS NOT NULL"),
        )

    op.drop_table("postback")
    op.drop_table("imported_schema")
    op.drop_table("imported_chunk")
    op.drop_table("fresh")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_due",
            postgresql_where=sa.text("state IN ('owed', 'leased')"),
            sqlite_where=sa.text("state IN ('owed', 'leased')"),
        )

    op.drop_table("delivery")
    op.drop_table("count_hour")
    op.drop_table("count_day")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_delivery_id"))

    op.drop_table("attempt")
    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_arrival_stored_id"))

    op.drop_table("arrival")
    op.drop_table("api_key")
    op.drop_table("account")
