"""Which parts of which files have been imported, so that an import can be taken up again."""

from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big


class ImportedChunk(SQLModel, table=True):
    """A stretch of a file, recorded in the transaction that imports it."""

    __tablename__ = "imported_chunk"

    file: str = Field(primary_key=True)  # SHA-256 of its bytes: a name may lie
    chunk: int = big(primary_key=True)
    lines: int
