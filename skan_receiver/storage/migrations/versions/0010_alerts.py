"""Alerts, what was changed of their rules, and who is told"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0010"
down_revision = "0009"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()

OPEN = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("since", UTC, nullable=False),
        sa.Column("seen_at", UTC, nullable=False),
        sa.Column("fine", sa.SmallInteger(), nullable=False),
        sa.Column("told_at", UTC, nullable=True),
        sa.Column("resolved_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_alert_open",
        "alert",
        ["rule", "subject"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_index("ix_alert_resolved_at", "alert", ["resolved_at"])
    op.create_table(
        "alert_setting",
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("threshold", sa.Text(), nullable=False),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_alert_setting")),
    )
    op.create_table(
        "alert_channel",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("told_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_channel")),
    )
    op.create_table(
        "alert_notice",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("alert_id", INT64, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("next_at", UTC, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_notice_alert_id", "alert_notice", ["alert_id"])
    op.create_table(
        "alert_check",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("until", UTC, nullable=False),
        sa.Column("checked_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_check")),
    )


def downgrade() -> None:
    for name in ("alert_check", "alert_notice", "alert_channel", "alert_setting", "alert"):
        op.drop_table(name)
