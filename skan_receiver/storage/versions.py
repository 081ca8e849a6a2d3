"""Versions of schemas, as they are kept."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, utc


class SchemaVersion(SQLModel, table=True):
    """What an app's values mean from a moment on. Rows are added, never edited or deleted."""

    __tablename__ = "schema_version"

    app_id: int = big(primary_key=True)
    number: int = Field(primary_key=True)  # 1, 2, … for each app
    # Of the content, not of the version: a roll-back publishes the same content again.
    content_hash: str
    text: str = Field(sa_type=Text)  # YAML as its author wrote it
    author: str = ""
    note: str = ""
    encoder: str  # who sets the values on the phone; unless `own`, this is a mirror of theirs
    effective_from: datetime = utc()
    rollout_hours: int = 0  # from then on, until every device has it
    published_at: datetime = utc()
    source: str  # "cli", "folder", "web"


class ImportedSchema(SQLModel, table=True):
    """What was ever imported from the folder for an app, so that it is imported once."""

    __tablename__ = "imported_schema"

    app_id: int = big(primary_key=True)
    content_hash: str = Field(primary_key=True)
    imported_at: datetime = utc()  # the last time, where somebody put the content back
