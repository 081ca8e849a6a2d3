"""Installs and in-app events of users"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0008"
down_revision = "0007"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()

PERSONAL = " OR ".join(
    f"{column} IS NOT NULL"
    for column in (
        *("idfa", "idfv", "gaid", "android_id", "customer_user_id", "mmp_user_id", "click_id"),
        *("ip", "user_agent", "order_id", "region", "os_version", "model", "language"),
    )
)


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    numbered = ("id", "identity") if on_postgresql else ("id",)

    op.create_table(
        "attribution",
        sa.Column("event_id", INT64, nullable=False),
        sa.Column("touch_id", INT64, nullable=True),
        sa.Column("media_source", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("losers", sa.Text(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_attribution")),
    )
    with op.batch_alter_table("attribution", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attribution_touch_id",
            ["touch_id"],
            unique=True,
            postgresql_where=sa.text("touch_id IS NOT NULL"),
            sqlite_where=sa.text("touch_id IS NOT NULL"),
        )

    op.create_table(
        "consent_policy",
        sa.Column("id", INT64, nullable=False),
        sa.Column("allows", sa.Boolean(), nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_policy")),
    )
    op.create_table(
        "event",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("app_id", INT64, nullable=True),
        sa.Column("bundle_id", TEXT, nullable=True),
        sa.Column("platform", TEXT, nullable=True),
        sa.Column("installed_at", UTC, nullable=True),
        sa.Column("revenue_micros", INT64, nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("order_id", TEXT, nullable=True),
        sa.Column("idfa", TEXT, nullable=True),
        sa.Column("idfv", TEXT, nullable=True),
        sa.Column("gaid", TEXT, nullable=True),
        sa.Column("android_id", TEXT, nullable=True),
        sa.Column("customer_user_id", TEXT, nullable=True),
        sa.Column("mmp_user_id", TEXT, nullable=True),
        sa.Column("click_id", TEXT, nullable=True),
        sa.Column("ip", TEXT, nullable=True),
        sa.Column("user_agent", TEXT, nullable=True),
        sa.Column("is_attributed", sa.Boolean(), nullable=True),
        sa.Column("media_source", TEXT, nullable=True),
        sa.Column("agency", TEXT, nullable=True),
        sa.Column("channel", TEXT, nullable=True),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("campaign_name", TEXT, nullable=True),
        sa.Column("adset_id", TEXT, nullable=True),
        sa.Column("adset_name", TEXT, nullable=True),
        sa.Column("ad_id", TEXT, nullable=True),
        sa.Column("ad_name", TEXT, nullable=True),
        sa.Column("site_id", TEXT, nullable=True),
        sa.Column("touch_type", TEXT, nullable=True),
        sa.Column("touched_at", UTC, nullable=True),
        sa.Column("match_type", TEXT, nullable=True),
        sa.Column("is_retargeting", sa.Boolean(), nullable=True),
        sa.Column("att", TEXT, nullable=True),
        sa.Column("limit_ad_tracking", sa.Boolean(), nullable=True),
        sa.Column("gdpr_applies", sa.Boolean(), nullable=True),
        sa.Column("ad_user_data", sa.Boolean(), nullable=True),
        sa.Column("ad_personalization", sa.Boolean(), nullable=True),
        sa.Column("limited_data_use", sa.Boolean(), nullable=True),
        sa.Column("child_directed", sa.Boolean(), nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("region", TEXT, nullable=True),
        sa.Column("os_version", TEXT, nullable=True),
        sa.Column("app_version", TEXT, nullable=True),
        sa.Column("model", TEXT, nullable=True),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("sdk_version", TEXT, nullable=True),
        sa.Column("is_restricted", sa.Boolean(), nullable=False),
        sa.Column("withdraws", TEXT, nullable=True),
        sa.Column("withdrawn_by", INT64, nullable=True),
        sa.PrimaryKeyConstraint(*numbered, name=op.f("pk_event")),
        sa.UniqueConstraint("identity", name=op.f("uq_event_identity")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_at", ["at"], unique=False)
        batch_op.create_index(
            "ix_event_android_id",
            ["android_id"],
            unique=False,
            postgresql_where=sa.text("android_id IS NOT NULL"),
            sqlite_where=sa.text("android_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_click_id",
            ["click_id"],
            unique=False,
            postgresql_where=sa.text("click_id IS NOT NULL"),
            sqlite_where=sa.text("click_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_customer_user_id",
            ["customer_user_id"],
            unique=False,
            postgresql_where=sa.text("customer_user_id IS NOT NULL"),
            sqlite_where=sa.text("customer_user_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_gaid",
            ["gaid"],
            unique=False,
            postgresql_where=sa.text("gaid IS NOT NULL"),
            sqlite_where=sa.text("gaid IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_order_id",
            ["order_id"],
            unique=False,
            postgresql_where=sa.text("order_id IS NOT NULL"),
            sqlite_where=sa.text("order_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_withdraws",
            ["withdraws"],
            unique=False,
            postgresql_where=sa.text("withdraws IS NOT NULL"),
            sqlite_where=sa.text("withdraws IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_idfa",
            ["idfa"],
            unique=False,
            postgresql_where=sa.text("idfa IS NOT NULL"),
            sqlite_where=sa.text("idfa IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_idfv",
            ["idfv"],
            unique=False,
            postgresql_where=sa.text("idfv IS NOT NULL"),
            sqlite_where=sa.text("idfv IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_mmp_user_id",
            ["mmp_user_id"],
            unique=False,
            postgresql_where=sa.text("mmp_user_id IS NOT NULL"),
            sqlite_where=sa.text("mmp_user_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_event_personal",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text(PERSONAL),
            sqlite_where=sa.text(PERSONAL),
        )
        batch_op.create_index(batch_op.f("ix_event_received_at"), ["received_at"], unique=False)

    op.create_table(
        "event_decision",
        sa.Column("event_id", INT64, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("event_id", "destination", name=op.f("pk_event_decision")),
    )
    op.create_table(
        "mmp_connection",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=True),
        sa.Column("media_source", TEXT, nullable=True),
        sa.Column("apps", sa.Text(), nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("last_event_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mmp_connection")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mmp_connection_token_hash")),
    )
    op.create_table(
        "network_source",
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("media_source", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("ad_network_id", name=op.f("pk_network_source")),
    )
    op.create_table(
        "tombstone",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("erased_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "touch",
        sa.Column("id", INT64, nullable=False),
        sa.Column("click_id", TEXT, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("media_source", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=True),
        sa.Column("bundle_id", TEXT, nullable=True),
        sa.Column("partner_click_id", TEXT, nullable=True),
        sa.Column("idfa", TEXT, nullable=True),
        sa.Column("gaid", TEXT, nullable=True),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("campaign_name", TEXT, nullable=True),
        sa.Column("adset_id", TEXT, nullable=True),
        sa.Column("adset_name", TEXT, nullable=True),
        sa.Column("ad_id", TEXT, nullable=True),
        sa.Column("ad_name", TEXT, nullable=True),
        sa.Column("site_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("touch", schema=None) as batch_op:
        batch_op.create_index("ix_touch_at", ["at"], unique=False)
        batch_op.create_index("ix_touch_click_id", ["click_id"], unique=True)
        batch_op.create_index(
            "ix_touch_gaid",
            ["gaid"],
            unique=False,
            postgresql_where=sa.text("gaid IS NOT NULL"),
            sqlite_where=sa.text("gaid IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_touch_idfa",
            ["idfa"],
            unique=False,
            postgresql_where=sa.text("idfa IS NOT NULL"),
            sqlite_where=sa.text("idfa IS NOT NULL"),
        )

    # ### end Alembic commands ###


def downgrade() -> None:
    for name in (
        "touch",
        "tombstone",
        "network_source",
        "mmp_connection",
        "event_decision",
        "event",
        "consent_policy",
        "attribution",
    ):
        op.drop_table(name)
