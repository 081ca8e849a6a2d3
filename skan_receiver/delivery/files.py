"""Reports as files: below one folder, or by a protocol that the operator has named.

A file is written whole or not at all, so that whoever reads it while it is written sees the one
before. Nothing here passes the guarded transport: a path is taken apart by the narrow rules below,
and a folder is entered without following links.
"""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from skan_receiver.delivery.templates import TemplateRefused, Values
from skan_receiver.delivery.templates.grammar import Parts, fill, macros_in, parse, secrets_in
from skan_receiver.delivery.templates.macros import macros_for
from skan_receiver.delivery.transport import Answer, Request, plain
from skan_receiver.errors import DeliveryFailed

# What is the same at every try, and no longer than a name.
IN_NAMES = {
    "window_start", "window_end", "date_basis", "length", "revision", "as_of", "format",
    "delivery_id", "destination", "digits",
}  # fmt: skip

LONGEST = 1_000

_PROTOCOL = re.compile(r"([a-z][a-z0-9]*)://")
# What begins with a dot is . or .. or hidden; ours while it is being written is, too.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=@+,: -]{0,199}")

# `file` and its like would be a way round the one folder.
LOCAL = {"file", "local"}

# Where a put is whole or not at all by itself, and a rename would be a copy and a deletion:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
# https://cloud.google.com/storage/docs/consistency
# https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list
WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"}

# As HTTP has it. Whoever reads the log of tries needs no other word for a file that was written.
CREATED = 201


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A file's path with macros."""

    parts: Parts = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "PathTemplate":
        """Read a template, or refuse it with the part at fault and the remedy."""
        try:
            template = cls(parse(text, macros_for("report")))
        except TemplateRefused as refused:
            raise refused.at("file") from None
        if other := set(template.macros) - IN_NAMES:
            remedy = f"a file's name may have {', '.join(sorted(IN_NAMES))}"
            raise TemplateRefused(f"{{{min(other)}}}", remedy, "file")
        if template.secrets:
            raise TemplateRefused(template.secrets[0], "a file's name is no secret", "file")
        try:
            taken_apart(template.expand(dict.fromkeys(IN_NAMES, "x")))
        except DeliveryFailed as failure:
            raise TemplateRefused(text, str(failure), "file") from None
        return template

    def expand(self, values: Values) -> str:
        """The path for these values."""
        return "".join(fill(part, values, {}) for part in self.parts)

    @property
    def macros(self) -> tuple[str, ...]:
        return macros_in(self.parts)

    @property
    def secrets(self) -> tuple[str, ...]:
        return secrets_in(self.parts)


def taken_apart(path: str) -> tuple[str, list[str]]:
    """The protocol, empty for the folder of ours, and the names; DeliveryFailed (permanent) where
    it is no path, or could lead elsewhere."""
    found = _PROTOCOL.match(path)
    protocol, rest = (found[1], path[found.end() :]) if found else ("", path)
    names = rest.split("/")
    if protocol in LOCAL:
        raise _never(f"{protocol}:// is for no one: write the path below the folder of exports")
    if len(path) > LONGEST or not all(_NAME.fullmatch(name) for name in names):
        raise _never(
            "write names with / between them, as in daily/{window_start}-{revision}.csv; each "
            "begins with a letter or digit, and may go on with . _ = @ + , : - and spaces"
        )
    return protocol, names


class Files:
    """Writes files, as a transport sends requests."""

    def __init__(self, root: Path, protocols: Sequence[str] = ()) -> None:
        self._root, self._protocols = root, protocols

    def send(self, request: Request) -> Answer:
        """Write the body to the path that stands for a URL, over what was there."""
        begun = time.monotonic()
        protocol, names = taken_apart(request.url)
        try:
            if protocol:
                self._write_far(protocol, names, request.body)
            else:
                self._write_near(names, request.body)
        except DeliveryFailed:
            raise
        except Exception as error:  # each implementation of a protocol has its own
            said = plain(f"not written: {type(error).__name__}: {error}")
            raise DeliveryFailed(said, kind="file") from error
        return Answer(CREATED, "", round((time.monotonic() - begun) * 1000))

    def _write_near(self, names: Sequence[str], content: bytes) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        for name in names[:-1]:
            folder = _entered(folder, name)
        try:
            _put(folder, names[-1], content)
        finally:
            os.close(folder)

    def _write_far(self, protocol: str, names: Sequence[str], content: bytes) -> None:
        if protocol not in self._protocols:
            said = f"{protocol}:// is not among SKAN_FILE_PROTOCOLS: name it there to allow it"
            raise DeliveryFailed(said, kind="file")
        import fsspec  # who writes below the folder alone has no use for it

        system: Any = fsspec.filesystem(protocol)
        path = "/".join(names)
        if protocol in WHOLE:
            system.pipe_file(path, content)
            return
        system.makedirs("/".join(names[:-1]), exist_ok=True)
        part = "/".join((*names[:-1], _part(names[-1])))
        try:
            system.pipe_file(part, content)
            system.mv(part, path)
        except BaseException:
            with suppress(Exception):
                system.rm_file(part)
            raise


def _entered(folder: int, name: str) -> int:
    """A folder in a folder, which is closed; made where it is missing. No link is followed."""
    try:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
            os.fsync(folder)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _put(folder: int, name: str, content: bytes) -> None:
    """Durable before it has its name, and its name durable before it is called written."""
    part = _part(name)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
    os.fsync(folder)


def _part(name: str) -> str:
    """Another name while it is written, even where two write the same."""
    return f".{name[:100]}.{token_hex(8)}"


def _never(reason: str) -> DeliveryFailed:
    return DeliveryFailed(reason, permanent=True, kind="file")
