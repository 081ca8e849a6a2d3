"""Reports as files: whole or not at all, and nowhere but where they may be."""

import os
import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry

from skan_receiver.delivery.files import Files, PathTemplate
from skan_receiver.delivery.templates import TemplateRefused
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of exports, not made yet."""
    return tmp_path / "exports"


@pytest.fixture
def memory() -> Iterator[Any]:
    """A file system of fsspec's that needs no network."""
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()


def write(files: Files, path: str, content: bytes = b"rows") -> None:
    assert files.send(Request(path, content, method="PUT")).status == 201


def refused(files: Files, path: str, content: bytes = b"rows") -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as raised:
        write(files, path, content)
    assert raised.value.kind == "file"
    return raised.value


def all_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


ESCAPES = [
    "",
    "/",
    "/etc/cron.d/x",
    "..",
    "../x.csv",
    "a/../../x.csv",
    "a/..",
    ".",
    "./x.csv",
    "a/./x.csv",
    "a//x.csv",
    "a/",
    "a\0b.csv",
    "a\nb.csv",
    "..\\x.csv",
    "a\\..\\x.csv",
    "%2e%2e/x.csv",
    "~/x.csv",
    ".profile",
    "a/.ssh/x",
    "-rf",
    "\u2025/x.csv",
    "file:///etc/x.csv",
    "local:///etc/x.csv",
    "file://x.csv",
    "s3://bucket/../other/x.csv",
    "memory:///x.csv",
    "S3://bucket/x.csv",
    "dir::file:///etc/x.csv",
    "simplecache::s3://bucket/x.csv",
    "a" * 300,
    "a/" * 600 + "x.csv",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_leads_nowhere_else(root: Path, path: str) -> None:
    """It is refused for good, and as a template is not even saved."""
    assert refused(Files(root, ("s3", "memory", "file", "local")), path).permanent
    assert not root.exists()
    with pytest.raises(TemplateRefused):
        PathTemplate.parse(path)


def test_folders_are_made(root: Path) -> None:
    """As deep as the path goes."""
    write(Files(root), "acme/daily/2026-11-25T00:00:00Z-1.csv")

    assert all_files(root) == ["acme/daily/2026-11-25T00:00:00Z-1.csv"]
    assert (root / "acme/daily/2026-11-25T00:00:00Z-1.csv").read_bytes() == b"rows"


def test_the_same_delivery_overwrites_its_file(root: Path) -> None:
    """Twice is once; and nothing is left beside it."""
    files = Files(root)
    write(files, "a/x.csv", b"long before")
    write(files, "a/x.csv", b"now")
    write(files, "a/x.csv", b"now")

    assert all_files(root) == ["a/x.csv"]
    assert (root / "a/x.csv").read_bytes() == b"now"
    assert stat.S_IMODE((root / "a/x.csv").stat().st_mode) & 0o600 == 0o600


@pytest.mark.parametrize("path", ["link/x.csv", "a/link/x.csv"])
def test_a_link_is_not_followed(root: Path, tmp_path: Path, path: str) -> None:
    """Wherever it points, even to another folder of ours. Somebody may mend it, so it is tried
    again."""
    (root / "a").mkdir(parents=True)
    for place in (root, root / "a"):
        (place / "link").symlink_to(tmp_path, target_is_directory=True)

    assert not refused(Files(root), path).permanent
    assert not (tmp_path / "x.csv").exists()


def test_a_file_that_is_a_link_is_replaced(root: Path, tmp_path: Path) -> None:
    """And what it points to stays as it was."""
    root.mkdir()
    (tmp_path / "secret").write_bytes(b"mine")
    (root / "x.csv").symlink_to(tmp_path / "secret")

    write(Files(root), "x.csv")

    assert (tmp_path / "secret").read_bytes() == b"mine"
    assert not (root / "x.csv").is_symlink()


def test_whoever_reads_meanwhile_sees_a_whole_file(root: Path) -> None:
    """The one before or the one after, never half of one; however many write it."""
    files, path = Files(root), root / "a/x.csv"
    contents = [bytes([letter]) * 300_000 for letter in b"ABCD"]
    write(files, "a/x.csv", contents[0])

    def write_often(content: bytes) -> None:
        for _ in range(25):
            write(files, "a/x.csv", content)

    with ThreadPoolExecutor(4) as writers:
        done = [writers.submit(write_often, content) for content in contents]
        while not all(one.done() for one in done):
            assert path.read_bytes() in contents
    assert all_files(root) == ["a/x.csv"]


def test_a_write_that_fails_leaves_the_file_before(root: Path) -> None:
    """And nothing half-written: here a folder has taken the name."""
    (root / "x.csv").mkdir(parents=True)

    failure = refused(Files(root), "x.csv")

    assert not failure.permanent
    assert "IsADirectoryError" in str(failure)
    assert list(root.iterdir()) == [root / "x.csv"]


def test_a_disk_that_fills_up_leaves_the_file_before(root: Path) -> None:
    """Half of a file never gets its name; when there is room again, it is tried again."""
    files = Files(root)
    write(files, "x.csv", b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        failure = refused(files, "x.csv", b"now" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert not failure.permanent
    assert [path.read_bytes() for path in root.iterdir()] == [b"before"]


def test_a_folder_that_is_none_is_its_operators_to_mend(root: Path) -> None:
    """The delivery waits for it."""
    root.write_text("in the way")

    assert not refused(Files(root), "x.csv").permanent


def test_no_handle_is_left_open(root: Path) -> None:
    """However deep, and whether or not it was written."""
    files = Files(root)
    root.mkdir()
    (root / "file").write_text("in the way")
    write(files, "a/b/c/x.csv")
    handles = len(os.listdir("/proc/self/fd"))

    for _ in range(20):
        write(files, "a/b/c/x.csv")
        refused(files, "file/b/x.csv")

    assert len(os.listdir("/proc/self/fd")) == handles


def test_another_protocol_is_for_the_operator_to_allow(root: Path, memory: Any) -> None:
    """It does not pass the guarded transport. Once it is named there, what waited is written."""
    failure = refused(Files(root), "memory://a/x.csv")

    assert not failure.permanent
    assert "SKAN_FILE_PROTOCOLS" in str(failure)
    assert memory.store == {}


def test_another_protocol_gets_the_whole_file(root: Path, memory: Any) -> None:
    """Under a name of its own until all of it is there."""
    files = Files(root, ("memory",))
    write(files, "memory://bucket/daily/x.csv", b"before")
    write(files, "memory://bucket/daily/x.csv", b"now")

    assert memory.find("bucket") == ["/bucket/daily/x.csv"]
    assert memory.cat("bucket/daily/x.csv") == b"now"
    assert not root.exists()


class Stubborn(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Takes files, and renames none; and as an object store, has no need to."""

    protocol = ("stubborn", "gs")
    store: dict[str, Any] = {}  # noqa: RUF012  # as its parent has it
    pseudo_dirs = [""]  # noqa: RUF012

    def mv(self, *_: Any, **__: Any) -> None:
        raise PermissionError("no")


@pytest.fixture
def stubborn() -> Iterator[Any]:
    for name in Stubborn.protocol:
        fsspec.register_implementation(name, Stubborn, clobber=True)
    yield Stubborn
    Stubborn.store.clear()
    for name in Stubborn.protocol:
        del _registry[name]


def test_a_rename_that_fails_leaves_nothing_behind(root: Path, stubborn: Any) -> None:
    """Neither under the file's name nor under the other one."""
    failure = refused(Files(root, ("stubborn",)), "stubborn://bucket/x.csv")

    assert not failure.permanent
    assert stubborn.store == {}


def test_an_object_store_is_put_to_at_once(root: Path, stubborn: Any) -> None:
    """A put to it is whole or not at all; a rename would be a copy and a deletion."""
    write(Files(root, ("gs",)), "gs://bucket/x.csv")

    assert {path: file.getvalue() for path, file in stubborn.store.items()} == {
        "/bucket/x.csv": b"rows"
    }


def test_what_is_not_installed_is_said(root: Path) -> None:
    """The protocol is allowed, and its library is missing."""
    failure = refused(Files(root, ("s3",)), "s3://bucket/x.csv")

    assert "s3fs" in str(failure)
    assert not failure.permanent


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{rows}.csv", "{rows}"),
        ("{attempt}.csv", "{attempt}"),
        ("{secret:key}/x.csv", "key"),
        ("{idfa}.csv", "{idfa}"),
        ("{nothing}.csv", "{nothing}"),
        ("{window_start", "{window_start"),
    ],
)
def test_a_name_is_the_same_at_every_try(template: str, part: str) -> None:
    """So it may have no macro that is not, and no secret, which a listing would show."""
    with pytest.raises(TemplateRefused) as raised:
        PathTemplate.parse(template)

    assert (raised.value.part, raised.value.where) == (part, "file")


def test_a_name_is_filled_in() -> None:
    """From the window alone."""
    template = PathTemplate.parse("daily/{window_start}-{revision}.csv")

    assert template.expand({"window_start": "2026-11-25T00:00:00Z", "revision": 2}) == (
        "daily/2026-11-25T00:00:00Z-2.csv"
    )
