"""Costs, and rates of exchange"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0004"
down_revision = "0003"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()


def upgrade() -> None:
    op.create_table(
        "cost",
        sa.Column("id", INT64, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("campaign_id", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.Column("campaign_name", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("micros", INT64, nullable=False),
        sa.Column("impressions", INT64, nullable=True),
        sa.Column("clicks", INT64, nullable=True),
        sa.Column("installs", INT64, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost")),
        sa.UniqueConstraint(
            "account", "ad_network_id", "app_id", "campaign_id", "country", "day",
            name=op.f("uq_cost_key"),
        ),
    )
    op.create_index("ix_cost_day", "cost", ["day"])
    op.create_table(
        "rate",
        sa.Column("base", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("base", "currency", "day", name=op.f("pk_rate")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("rate")
    op.drop_table("cost")
