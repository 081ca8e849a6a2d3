"""Campaigns and costs come as files: looked at first, then kept whole or not at all."""

import io
import re

import pytest
from werkzeug.test import TestResponse

from tests.web.site import Site, token_of

CAMPAIGNS = b"""ad_network_id,app_id,source_identifier,starts_on,campaign_id,campaign_name
abc123.skadnetwork,525463029,5239,2026-11-01,c1,Autumn
"""
COSTS = b"""day,ad_network_id,app_id,campaign_id,cost
2026-11-02,abc123.skadnetwork,525463029,c1,12.50
"""
FILES = {"campaigns": (CAMPAIGNS, {}), "costs": (COSTS, {"zone": "UTC", "currency": "EUR"})}


def send(site: Site, name: str, content: bytes, **fields: str) -> TestResponse:
    token = token_of(site.client.get(f"/{name}"))
    data = {"csrf_token": token, "file": (io.BytesIO(content), f"{name}.csv"), **fields}
    return site.client.post(f"/{name}", data=data)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_looked_at_and_then_imported(site: Site, name: str) -> None:
    """Nothing is changed by looking; what comes out again is what went in."""
    site.sign_in()
    content, terms = FILES[name]
    seen = send(site, name, content, do="check", **terms)
    assert seen.status_code == 200
    assert "1 added" in seen.text
    assert "There is none yet" in site.client.get(f"/{name}").text

    text = re.search(r'<textarea name="text"[^>]*>(.*?)</textarea>', seen.text, re.DOTALL)
    assert text
    data = {"csrf_token": token_of(seen), "text": text[1], "do": "import", **terms}
    assert site.client.post(f"/{name}", data=data).status_code == 303
    assert "abc123.skadnetwork" in site.client.get(f"/{name}").text
    out = site.client.get(f"/{name}.csv")
    assert out.content_type.startswith("text/csv")
    again = send(site, name, out.data, do="check")
    assert "1 unchanged" in again.text
    (entry,) = site.deeds()
    assert entry.action == f"{name}.import"


@pytest.mark.parametrize("name", FILES)
def test_mistakes_are_said_by_line_and_nothing_is_imported(site: Site, name: str) -> None:
    """All of them at once."""
    site.sign_in()
    content, terms = FILES[name]
    bad = content.replace(b"abc123.skadnetwork", b"no network")
    answer = send(site, name, bad, do="import", **terms)
    assert answer.status_code == 422
    assert "line 2" in answer.text
    assert "There is none yet" in site.client.get(f"/{name}").text
    assert send(site, name, b"\xff\xfe", do="check").status_code == 422


def test_viewers_look_and_import_nothing(site: Site) -> None:
    """Nor does who sees one app alone."""
    site.sign_in()
    token = token_of(site.client.get("/costs"))
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET role = 'viewer'"))
    assert "Bring in a file" not in site.client.get("/costs").text
    answer = site.client.post("/costs", data={"csrf_token": token, "text": "x", "do": "import"})
    assert answer.status_code == 403
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET apps = '42'"))
    assert site.client.get("/campaigns").status_code == 403
