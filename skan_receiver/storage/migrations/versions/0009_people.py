"""Roles and what they see, the audit log, names of ad networks, calls that are sent again"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0009"
down_revision = "0008"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()

# Whoever opens the database can drop a trigger; nobody's slip of the hand can.
APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb} ON audit_entry
           BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
    ),
    "postgresql": (
        """CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb} ON audit_entry
           FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"""
    ),
}


def upgrade() -> None:
    for name in ("apps", "networks"):
        op.add_column("account", sa.Column(name, TEXT, nullable=False, server_default=""))
    with op.batch_alter_table("account") as batch:
        for name in ("apps", "networks"):
            batch.alter_column(name, server_default=None)
    op.create_table(
        "network_name",
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("ad_network_id", name=op.f("pk_network_name")),
    )
    op.create_table(
        "idempotent_call",
        sa.Column("key_id", INT64, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "name", name=op.f("pk_idempotent_call")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("number", INT64, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entry")),
    )
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(
            """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"""
        )
    for verb in ("UPDATE", "DELETE"):
        op.execute(APPEND_ONLY[dialect].format(verb=verb))


def downgrade() -> None:
    op.drop_table("audit_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_append_only()")
    op.drop_table("idempotent_call")
    op.drop_table("network_name")
    with op.batch_alter_table("account") as batch:
        for name in ("networks", "apps"):
            batch.drop_column(name)
