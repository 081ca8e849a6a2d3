"""Users, keys, what is ours, and the audit log, in the browser."""

import re

import pytest
from werkzeug.test import TestResponse

from skan_receiver.storage import access
from tests.web.site import PASSWORD, Site, token_of


def post(site: Site, path: str, **fields: object) -> TestResponse:
    token = token_of(site.client.get("/postbacks"))
    return site.client.post(path, data={"csrf_token": token, **fields})


def test_a_user_is_invited_limited_and_removed(site: Site) -> None:
    """The link is shown once and works; what they may do and see is changed at once."""
    site.sign_in()
    shown = post(site, "/settings/users", name="ana", role="viewer", apps="42, 43")
    link = re.search(r"/login/[\w-]+", shown.text)
    assert link
    theirs = site.browser()
    page = theirs.get(link[0])
    theirs.post(
        link[0], data={"csrf_token": token_of(page), "password": PASSWORD, "again": PASSWORD}
    )
    assert theirs.get("/settings/users").status_code == 403
    assert theirs.get("/settings/keys").status_code == 403
    assert theirs.get("/settings/audit").status_code == 403
    assert "viewer" in theirs.get("/settings").text

    post(site, "/settings/users/ana", role="admin", do="change")
    assert theirs.get("/settings/users").status_code == 200
    post(site, "/settings/users/ana", do="remove")
    assert theirs.get("/").status_code == 303
    told = [row.action for row in site.deeds()]
    assert told == ["user.remove", "user.change", "user.add"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "admin", "role": "viewer"}, "there is a user"),
        ({"name": "ana", "role": "boss"}, "one of viewer, editor, admin"),
        ({"name": "ana", "role": "viewer", "apps": "forty"}, "numbers of the App Store"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    site: Site, fields: dict[str, str], said: str
) -> None:
    """And nobody is added."""
    site.sign_in()
    answer = post(site, "/settings/users", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert len(access.users(site.store)) == 1


def test_the_last_admin_stays(site: Site) -> None:
    """Neither removed nor demoted."""
    site.sign_in()
    post(site, "/settings/users/admin", role="viewer", do="change")
    assert "somebody has to stay admin" in site.client.get("/settings/users").text


def test_a_key_is_shown_once_and_revoked(site: Site) -> None:
    """It works until then."""
    site.sign_in()
    shown = post(site, "/settings/keys", name="grafana", scope="read")
    key = re.search(r"skan_[\w-]{30,}", shown.text)
    assert key
    assert key[0] not in site.client.get("/settings/keys").text
    asked = {"Authorization": f"Bearer {key[0]}"}
    assert site.client.get("/api/v1/postbacks", headers=asked).status_code == 200
    assert post(site, "/settings/keys/1/revoke").status_code == 303
    assert site.client.get("/api/v1/postbacks", headers=asked).status_code == 401
    assert post(site, "/settings/keys", name="none").status_code == 422
    assert post(site, "/settings/keys", name="x", scope="read", days="-1").status_code == 422


def test_what_is_ours_is_registered_and_named(site: Site) -> None:
    """What counts follows."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    site.receiver.settle()
    assert post(site, "/settings/apps", value="42", name="Other", do="add").status_code == 303
    assert "Other" in site.client.get("/settings/apps").text
    assert "not counted" in site.client.get("/postbacks").text
    assert post(site, "/settings/apps", value="42", do="remove").status_code == 303
    assert "not counted" not in site.client.get("/postbacks").text
    assert post(site, "/settings/apps", value="me", do="add").status_code == 422

    assert "AppLovin" in site.client.get("/settings/networks").text
    post(site, "/settings/networks", value="LUDVB6Z3BS.skadnetwork", name="MAX", do="name")
    assert "MAX" in site.client.get("/settings/networks").text


def test_the_audit_log_is_read_and_verified(site: Site) -> None:
    """On its page."""
    site.sign_in()
    post(site, "/settings/apps", value="42", do="add")
    page = site.client.get("/settings/audit?verify=1").text
    assert "app.add" in page
    assert "2 entries are as they were written" in page


def test_no_page_lets_a_viewer_change_anything(site: Site) -> None:
    """Every form there is, walked: whoever only looks is refused, or not let in."""
    site.sign_in()
    token = token_of(site.client.get("/postbacks"))
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET role = 'viewer'"))
    open_to_all = {"login.sign_in", "login.sign_out", "login.choose"}
    for rule in site.app.url_map.iter_rules():
        blueprint = rule.endpoint.split(".")[0]
        of_pages = blueprint not in ("api", "receive", "mmp", "touch")
        if "POST" not in (rule.methods or ()) or not of_pages or rule.endpoint in open_to_all:
            continue
        values = {
            name: {"which": "apps", "book": "costs"}.get(name)
            or (1 if type(rule._converters[name]).__name__ == "IntegerConverter" else "x")
            for name in rule.arguments
        }
        with site.app.test_request_context():
            path = site.app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
        answer = site.client.post(path, data={"csrf_token": token})
        assert answer.status_code == 403, f"{rule.endpoint}: {answer.status_code}"
