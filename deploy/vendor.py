"""Fetch the front-end files we ship, from npm, as skan_receiver/web/static/vendor/vendor.json says.

    make vendor                         # fetch what is listed; fail where a hash differs
    python deploy/vendor.py --update    # and write the hashes, after a new version was entered

Needs npm; neither running nor testing does.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "skan_receiver" / "web" / "static" / "vendor"
MANIFEST = VENDOR / "vendor.json"


def main(*, update: bool) -> int:
    """Fetch every file; 1 where one is not what the manifest says."""
    manifest = json.loads(MANIFEST.read_text())
    wrong = []
    for entry in manifest:
        content, licence = fetch(entry["name"], entry["version"], entry["from"])
        found = sha256(content).hexdigest()
        if update:
            entry["sha256"] = found
        if found != entry["sha256"]:
            wrong.append(f"{entry['file']}: expected {entry['sha256']}, fetched {found}")
            continue
        (VENDOR / entry["file"]).write_bytes(content)
        (VENDOR / entry["licence_file"]).write_bytes(licence)
    if update:
        MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")
    said = "\n".join(wrong) or f"{len(manifest)} files are as {MANIFEST.name} says"
    sys.stdout.write(f"{said}\n")
    return bool(wrong)


def fetch(name: str, version: str, path: str) -> tuple[bytes, bytes]:
    """A file of an npm package, and the package's licence."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{name}@{version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            return read(package, path), read(package, "LICENSE")


def read(package: tarfile.TarFile, path: str) -> bytes:
    """A member's bytes."""
    member = package.extractfile(f"package/{path}")
    if member is None:
        raise SystemExit(f"{path} is no file of the package")
    return member.read()


if __name__ == "__main__":
    sys.exit(main(update="--update" in sys.argv))
