"""What a stored value means, by the schemas in the folder of settings.schemas."""

import threading
from collections.abc import Mapping
from pathlib import Path

import structlog

from skan_receiver.conversion import Decoded, Schema, decode, load_folder
from skan_receiver.conversion.decode import Valued
from skan_receiver.errors import SchemaError

log = structlog.get_logger()

Files = frozenset[tuple[str, int, int]]


class Meanings:
    """The folder's schemas, read again when a file in it changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: Files | None = None
        self._schemas: Mapping[int, Schema] = {}
        self._lock = threading.Lock()

    def of(self, postback: Valued) -> Decoded | None:
        """What its value means; None where its app has no schema."""
        schema = self._current().get(postback.app_id)
        return decode(postback, schema) if schema else None

    def _current(self) -> Mapping[int, Schema]:
        with self._lock:
            if (files := _files(self._folder)) != self._files:
                self._files, self._schemas = files, self._read()
            return self._schemas

    def _read(self) -> Mapping[int, Schema]:
        """With a mistake in a file the schemas that were good go on."""
        try:
            return load_folder(self._folder)
        except SchemaError as error:
            log.warning("schemas are not read", folder=str(self._folder), problems=str(error))
            return self._schemas


def _files(folder: Path) -> Files:
    found = (path for path in folder.glob("*.y*ml") if path.is_file())
    return frozenset((path.name, (s := path.stat()).st_mtime_ns, s.st_size) for path in found)
