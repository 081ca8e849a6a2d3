"""An Info.plist: what Apple would make of it."""

import plistlib
from pathlib import Path
from typing import Any

import pytest

from skan_receiver.doctor import State, look_at_plist

SKAN, AAK = "NSAdvertisingAttributionReportEndpoint", "AttributionCopyEndpoint"
BACK = "EligibleForAdAttributionKitReengagementPostbackCopies"
RIGHT = {SKAN: "https://example.com", AAK: "https://example.com", BACK: True}


def look(tmp_path: Path, said: dict[str, Any], form: Any = plistlib.FMT_XML) -> dict[str, str]:
    """The worst that is said of each key."""
    path = tmp_path / "Info.plist"
    path.write_bytes(plistlib.dumps(said, fmt=form))
    order = list(State)
    findings = sorted(look_at_plist(path), key=lambda one: order.index(one.state))
    return {one.what: f"{one.state}: {one.said}" for one in findings}


@pytest.mark.parametrize("form", list(plistlib.PlistFormat))
def test_a_right_one_is_good(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    """As text, or binary as in a built app."""
    assert all(said.startswith("good") for said in look(tmp_path, RIGHT, form).values())


def test_nested_keys_are_ignored_by_ios_and_named(tmp_path: Path) -> None:
    """The mistake that several public guides make."""
    said = look(tmp_path, {SKAN: RIGHT[SKAN], "AdAttributionKit": {AAK: RIGHT[AAK], BACK: True}})
    assert said[AAK].startswith("bad: is inside AdAttributionKit")
    assert said[BACK].startswith("bad: is inside AdAttributionKit")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("http://example.com", "bad: "),
        ("example.com", "bad: "),
        ("https:", "bad: is only 'https:'"),
        ("https://example.com:8443", "bad: "),
        ("https://user@example.com", "bad: "),
        ("https://example.com/mping", "warning: 'https://example.com/mping': Apple drops"),
        ("https://skan.example.com", "warning: Apple drops sub-domains"),
        (True, "bad: is bool"),
    ],
)
def test_what_is_wrong_with_an_address(tmp_path: Path, value: object, wanted: str) -> None:
    """Scheme and host, and the host is the registrable one."""
    assert look(tmp_path, RIGHT | {SKAN: value})[SKAN].startswith(wanted)


def test_missing_keys_say_what_will_not_come(tmp_path: Path) -> None:
    """Nothing is copied that is not asked for."""
    said = look(tmp_path, {})
    assert said[SKAN].startswith("bad: is missing")
    assert said[AAK].startswith("bad: is missing")
    assert said[BACK].startswith("warning")
    assert look(tmp_path, RIGHT | {BACK: "YES"})[BACK].startswith("bad: is str")


def test_what_is_no_property_list(tmp_path: Path) -> None:
    """Said in a line."""
    path = tmp_path / "Info.plist"
    for content in (b"", b"<plist><dict><key>", b"{}", plistlib.dumps(["a"])):
        path.write_bytes(content)
        (finding,) = look_at_plist(path)
        assert finding.state is State.BAD
    (finding,) = look_at_plist(tmp_path / "none")
    assert "cannot be read" in finding.said
