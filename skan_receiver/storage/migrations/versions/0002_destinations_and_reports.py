"""Destinations, their secrets and campaigns, and the windows of reports"""

from typing import Literal

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0002"
down_revision = "0001"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()
NUMBERED = {"sqlite_autoincrement": True}  # a table made anew gives no number twice either


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "destination",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("changed_at", UTC, nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_because", TEXT, nullable=False),
        sa.Column("failing_since", UTC, nullable=True),
        sa.Column("open_until", UTC, nullable=True),
        sa.Column("probes", sa.SmallInteger(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=True),
        sa.Column("tokens_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_destination")),
    )
    op.create_table(
        "secret",
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("destination", "name", name=op.f("pk_secret")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", INT64, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("source_identifier", TEXT, nullable=False),
        sa.Column("skan_campaign_id", INT64, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in (
                "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name",
                "channel", "tracker", "country",
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint(
            "ad_network_id",
            "app_id",
            "source_identifier",
            "skan_campaign_id",
            "starts_on",
            name=op.f("uq_campaign_key"),
        ),
    )
    numbered = ("id", "identity") if on_postgresql else ("id",)
    op.create_table(
        "report_window",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("start", UTC, nullable=False),
        sa.Column("end", UTC, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint(*numbered, name=op.f("pk_report_window")),
        sa.UniqueConstraint("identity", name=op.f("uq_report_window_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_window_start", "report_window", ["destination", "start"])
    with op.batch_alter_table("delivery") as delivery:
        delivery.add_column(
            sa.Column("refusals", sa.SmallInteger(), nullable=False, server_default="0")
        )
        delivery.add_column(
            sa.Column("replays", sa.SmallInteger(), nullable=False, server_default="0")
        )
        delivery.add_column(sa.Column("hinted_at", UTC, nullable=True))
        delivery.add_column(sa.Column("sealed_ip", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_delivery_dead",
        "delivery",
        ["destination", "settled_at"],
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    with op.batch_alter_table("attempt") as attempt:
        attempt.add_column(sa.Column("error_class", TEXT, nullable=False, server_default=""))
    # The clock of the row that comes, not of the one who writes it. SQLite takes such a default
    # only with a new table.
    now = "clock_timestamp()" if on_postgresql else "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"
    recreate: Literal["never", "always"] = "never" if on_postgresql else "always"
    with op.batch_alter_table("fresh", recreate=recreate, table_kwargs=NUMBERED) as fresh:
        fresh.add_column(sa.Column("at", UTC, nullable=False, server_default=sa.text(now)))
        fresh.add_column(sa.Column("sealed_ip", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("fresh", table_kwargs=NUMBERED) as fresh:
        fresh.drop_column("sealed_ip")
        fresh.drop_column("at")
    with op.batch_alter_table("attempt", table_kwargs=NUMBERED) as attempt:
        attempt.drop_column("error_class")
    op.drop_index("ix_delivery_dead", "delivery")
    with op.batch_alter_table("delivery", table_kwargs=NUMBERED) as delivery:
        for name in ("sealed_ip", "hinted_at", "replays", "refusals"):
            delivery.drop_column(name)
    for name in ("report_window", "campaign", "secret", "destination"):
        op.drop_table(name)
