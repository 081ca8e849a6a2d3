"""Alembic's entry: always on a connection we were given, never on a URL of its own."""

from alembic import context

import skan_receiver.storage  # noqa: F401  # puts every table on the metadata
from skan_receiver.storage.columns import metadata
from skan_receiver.storage.migrate import include_name

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_name=include_name,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
