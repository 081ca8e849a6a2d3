"""Logs that somebody sent, kept as files while they are looked at and imported."""

import re
import secrets
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import Conflict

from skan_receiver.importing import Imported, import_here
from skan_receiver.logfile import measure
from skan_receiver.rehearsal import Rehearsal, rehearse
from skan_receiver.storage import audit
from skan_receiver.web.access import actor
from skan_receiver.web.services import services

LARGEST = 64 * 1024 * 1024
LARGEST_UNPACKED = 8 * LARGEST
KEPT_SECONDS = 3600

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,60}")


def new() -> Path:
    """A file to write to, which nobody else can guess or read. Its folder's name is its token.

    What nobody imported within an hour is removed first.
    """
    _forget_old()
    folder = _folder() / secrets.token_urlsafe(24)
    folder.mkdir(mode=0o700, parents=True)
    return folder / "upload"


def kept(token: str) -> Path | None:
    """The file of this token, while it is here."""
    path = _folder() / token / "upload"
    return path if TOKEN.fullmatch(token) and path.is_file() else None


def forget(path: Path) -> None:
    """Remove a file, and its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)


def looked_into(path: Path) -> Rehearsal:
    """What a file holds. BrokenFile where it is not whole, or too large once it is unpacked."""
    measure(path, LARGEST_UNPACKED)
    context = services()
    return rehearse(path, context.store, context.settings, context.keys, datetime.now(UTC))


def imported(path: Path, name: str) -> Imported:
    """Import a file, and note who did. BrokenFile as above; then nothing was imported."""
    measure(path, LARGEST_UNPACKED)
    context, who = services(), actor()
    try:
        done = import_here(path, context.store, context.settings, context.keys)
    except IntegrityError:
        raise Conflict(
            "This file is being imported already; try again when that is done."
        ) from None
    outcomes = dict(done.outcomes)
    context.store.write(lambda c: audit.record(c, who, "postback.import", name, outcomes))
    return done


def _forget_old() -> None:
    old = time.time() - KEPT_SECONDS
    for folder in _folder().glob("*"):
        with suppress(FileNotFoundError):  # somebody else removed it
            if folder.stat().st_mtime < old:
                shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    return services().settings.var / "uploads"
