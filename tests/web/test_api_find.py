"""A postback is found by a copy of it."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from skan_receiver.testing import encode
from tests.web.site import Site


def find(site: Site, body: bytes, query: str = "") -> TestResponse:
    return site.browser().post(
        f"/api/v1/postbacks/find{query}", data=body, headers=site.key("read")
    )


def test_a_copy_a_jws_or_an_id_find_it(either_site: Site) -> None:
    """As the search page takes them; pretty-printed, cut off, in either case."""
    site = either_site
    skan, aak = site.signer.skadnetwork(), site.signer.adattributionkit()
    site.receiver.receive(skan, aak, site.signer.skadnetwork())
    id_ = str(skan["transaction-id"])
    pretty = json.dumps(skan, indent=2)
    for text in (pretty, f"\n{pretty}\n", pretty[:-1], id_, id_.upper()):
        page: Any = find(site, text.encode()).json
        assert [one["signed"]["postback_id"] for one in page["postbacks"]] == [id_], text
        assert page["next_cursor"] is None
    for copy in (encode(aak), str(aak["jws-string"]).encode()):
        (one,) = find(site, copy).json["postbacks"]  # type: ignore[index]
        assert one["framework"] == "adattributionkit"


def test_pages_follow_each_other(site: Site) -> None:
    """Of one id there can be several: its windows, and forgeries."""
    body = site.signer.skadnetwork()
    for app in (body["app-id"], 7):
        site.receiver.receive({**body, "app-id": app})
        site.receiver.later(seconds=1)
    first: Any = find(site, encode(body), "?limit=1").json
    second: Any = find(site, encode(body), f"?limit=1&cursor={first['next_cursor']}").json
    verdicts = [page["postbacks"][0]["verdict"] for page in (first, second)]
    assert verdicts == ["invalid", "valid"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"\xff", 422),
        (b'{"a": 1}', 422),
        (b"eyJ.not.one", 422),
        (b"a\0b", 422),
        (b"x" * 201, 422),
        (b" " * 16_385, 413),
    ],
)
def test_what_holds_no_id_is_told_what_to_send(site: Site, body: bytes, status: int) -> None:
    """The fault is the body's, and the remedy is in words."""
    answer = find(site, body)
    assert answer.status_code == status
    if status == 422:
        assert answer.json["errors"][0]["where"] == "body"  # type: ignore[index]
