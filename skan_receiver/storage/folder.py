"""The folder of schema files, published as its files change.

What was imported is remembered, so a version published elsewhere since stays in force until
somebody changes the file. Web workers never import; `serve` does at its start and the worker as
it goes, and any number of them may at once.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.errors import SchemaError
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, Version, add, history, hold
from skan_receiver.storage.store import Store
from skan_receiver.storage.versions import ImportedSchema

IMPORTED = table(ImportedSchema)

REMEDY = "`schemas import` publishes it all the same"

Stamps = dict[str, tuple[int, int]]  # file: when it was changed, and its size


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the files it left alone, each with what keeps it from us."""

    published: tuple[Version, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file without mistakes."""

    path: Path
    text: str
    schema: Schema

    def refused(self, why: str) -> str:
        return f"{self.path}: not imported: {why}"


class Folder:
    """Imports a folder when a file in it has changed."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._stamps: Stamps = {}

    def step(self, now: datetime) -> Imported:
        """Import what changed since the last step. Looks at times and sizes first: cheap."""
        stamps = _stamps(self._path)
        if stamps == self._stamps:
            return Imported()
        known = self._stamps.items()
        changed = {name for name, stamp in stamps.items() if (name, stamp) not in known}
        edited = changed & self._stamps.keys()
        done = _import_all(self._store, self._path, now, edited)
        self._stamps = stamps
        return done


def import_folder(
    store: Store, folder: Path, now: datetime, *, deliberate: bool = False
) -> Imported:
    """Publish each schema directly in `folder` that was never imported.

    `deliberate`: somebody asks for it, so that what may be older is published as well. A file with
    a mistake keeps no other file back; two files for one app keep each other.
    """
    return _import_all(store, folder, now, set(_stamps(folder)) if deliberate else ())


def _import_all(store: Store, folder: Path, now: datetime, meant: Collection[str]) -> Imported:
    """Import the folder; the files named in `meant` were changed by somebody who is at it."""
    files, problems = _read(folder)
    with store.read() as connection:
        new = [file for file in files if _remembered(connection, file)[:1] != [file.schema.hash]]

    def work(connection: Connection) -> list[Version | str | None]:
        hold(connection)
        return [_import(connection, file, now, meant=file.path.name in meant) for file in new]

    results = store.write(work) if new else []
    return Imported(
        tuple(one for one in results if isinstance(one, Version)),
        (*problems, *(one for one in results if isinstance(one, str))),
    )


def _import(
    connection: Connection, file: File, now: datetime, *, meant: bool
) -> Version | str | None:
    """The new version, what speaks against one, or None where there is nothing to do."""
    remembered = _remembered(connection, file)
    if remembered[:1] == [file.schema.hash]:
        return None  # another process was quicker
    versions = history(connection, file.schema.app_id)
    if not meant and file.schema.hash in remembered:
        return file.refused(f"newer content was imported since; {REMEDY}")
    if not meant and versions and not remembered:
        if file.schema.hash not in {version.content_hash for version in versions}:
            number = versions[-1].number
            app = f"app {file.schema.app_id} has version {number}"
            return file.refused(f"{app}, which may be newer; {REMEDY}")
        _remember(connection, file, now)
        return None
    _remember(connection, file, now)
    done = add(connection, file.schema, Publication(file.text, source="folder"), now)
    return done.version if done.is_new else None


def _remembered(connection: Connection, file: File) -> Sequence[str]:
    """The contents that were imported for the file's app, the last one first."""
    of_app = select(IMPORTED.c.content_hash).where(IMPORTED.c.app_id == file.schema.app_id)
    return list(connection.scalars(of_app.order_by(IMPORTED.c.imported_at.desc())))


def _remember(connection: Connection, file: File, now: datetime) -> None:
    row = {"app_id": file.schema.app_id, "content_hash": file.schema.hash}
    before = IMPORTED.c.app_id == row["app_id"], IMPORTED.c.content_hash == row["content_hash"]
    connection.execute(delete(IMPORTED).where(*before))
    connection.execute(IMPORTED.insert(), {**row, "imported_at": now})


def _read(folder: Path) -> tuple[list[File], list[str]]:
    found: list[File] = []
    problems: list[str] = []
    for path in _files(folder):
        try:
            text = path.read_text(encoding="utf-8")
            found.append(File(path, text, load_schema(f"{text}\n", name=str(path))))
        except SchemaError as error:
            problems.append(str(error))
        except (OSError, UnicodeError) as error:
            problems.append(f"{path}: cannot be read: {error}")
    apps = Counter(file.schema.app_id for file in found)
    problems += [
        file.refused(f"another file has a schema for app {file.schema.app_id} too")
        for file in found
        if apps[file.schema.app_id] > 1
    ]
    return [file for file in found if apps[file.schema.app_id] == 1], problems


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
    return sorted(path for path in found if path.is_file())


def _stamps(folder: Path) -> Stamps:
    stats = {path.name: path.stat() for path in _files(folder)}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()}
