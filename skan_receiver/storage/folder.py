"""The folder of schema files, published as its files change.

A file is published once: the content last imported is remembered for each app, so a version
published elsewhere since stays in force until somebody changes the file. Web workers never
import; `serve` does at its start and the worker as it goes, and any number of them may at once.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select, update

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.errors import SchemaError
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, Version, add, history, hold
from skan_receiver.storage.store import Store
from skan_receiver.storage.versions import ImportedSchema

IMPORTED = table(ImportedSchema)

Files = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the files it left alone, each with what keeps it from us."""

    published: tuple[Version, ...] = ()
    problems: tuple[str, ...] = ()


class Folder:
    """Imports a folder when a file in it has changed."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._files: Files = frozenset()

    def step(self, now: datetime) -> Imported:
        """Import what changed since the last step. Looks at times and sizes first: cheap."""
        files = _files(self._path)
        if files == self._files:
            return Imported()
        done = import_folder(self._store, self._path, now)
        self._files = files
        return done


def import_folder(store: Store, folder: Path, now: datetime) -> Imported:
    """Publish each schema directly in `folder` whose file was never imported as it is now.

    A file with a mistake keeps no other file back; two files for one app keep each other.
    """
    schemas, problems = _read(folder)
    with store.read() as connection:
        remembered = _remembered(connection)
    new = [one for one in schemas if remembered.get(one[0].app_id) != one[0].hash]

    def work(connection: Connection) -> tuple[list[Version], list[str]]:
        hold(connection)
        results = [_import(connection, schema, text, now) for schema, text in new]
        published = [one for one in results if isinstance(one, Version)]
        return published, [one for one in results if isinstance(one, str)]

    published, left = store.write(work) if new else ([], [])
    return Imported(tuple(published), (*problems, *left))


def _import(
    connection: Connection, schema: Schema, text: str, now: datetime
) -> Version | str | None:
    """The new version, what speaks against one, or None where there is nothing to do."""
    before = _remembered(connection).get(schema.app_id)
    if before == schema.hash:
        return None  # another process was quicker
    _remember(connection, schema, is_first=before is None)
    versions = history(connection, schema.app_id)
    if before is None and versions:
        if schema.hash in {version.content_hash for version in versions}:
            return None
        return (
            f"{schema.source}: not imported: app {schema.app_id} has version "
            f"{versions[-1].number}, which may be newer; publish the file, or change it"
        )
    done = add(connection, schema, Publication(text, source="folder"), now)
    return done.version if done.is_new else None


def _remember(connection: Connection, schema: Schema, *, is_first: bool) -> None:
    if is_first:
        row = {"app_id": schema.app_id, "content_hash": schema.hash}
        connection.execute(IMPORTED.insert(), row)
        return
    of_app = update(IMPORTED).where(IMPORTED.c.app_id == schema.app_id)
    connection.execute(of_app.values(content_hash=schema.hash))


def _read(folder: Path) -> tuple[list[tuple[Schema, str]], list[str]]:
    found: list[tuple[Schema, str]] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            text = path.read_text(encoding="utf-8")
            found.append((load_schema(f"{text}\n", name=str(path)), text))
        except SchemaError as error:
            problems.append(str(error))
        except (OSError, UnicodeError) as error:
            problems.append(f"{path}: cannot be read: {error}")
    apps = Counter(schema.app_id for schema, _ in found)
    problems += [
        f"{schema.source}: not imported: another file has a schema for app {schema.app_id} too"
        for schema, _ in found
        if apps[schema.app_id] > 1
    ]
    return [one for one in found if apps[one[0].app_id] == 1], problems


def _remembered(connection: Connection) -> dict[int, str]:
    rows = connection.execute(select(IMPORTED.c.app_id, IMPORTED.c.content_hash))
    return {row.app_id: row.content_hash for row in rows}


def _files(folder: Path) -> Files:
    found = (path for path in folder.glob("*.y*ml") if path.is_file())
    return frozenset((path.name, (s := path.stat()).st_mtime_ns, s.st_size) for path in found)
