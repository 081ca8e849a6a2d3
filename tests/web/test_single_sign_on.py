"""Who gets in because a provider of OpenID Connect says who they are."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import access, audit
from skan_receiver.storage.access import Permit
from skan_receiver.web import create_app
from tests.web.provider import CLIENT, SECRET, Provider, new_key, providing, someone
from tests.web.site import PASSWORD, Site, token_of

NOW = datetime.now(UTC)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


def site_of(provider: Provider, url: str, folder: Path, **settings: Any) -> Site:
    return Site(
        url,
        folder,
        **{
            "oidc_issuer": provider.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_name": "Corp",
        }
        | settings,
    )


@pytest.fixture
def corp(provider: Provider, store_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site where whoever is of corp.example may look; on each store."""
    site = site_of(
        provider, store_url, tmp_path, oidc_role="viewer", oidc_domains=("corp.example",)
    )
    yield site
    site.close()


def visit(url: str) -> str:
    """Where the provider sends the browser: a request of its own, as a browser's is."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = HTTPConnection(parts.hostname, parts.port)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def sign_in(browser: FlaskClient, path: str = "/login/oidc") -> TestResponse:
    """There and back."""
    there = browser.get(path)
    assert there.status_code == 302, there.text
    return browser.get(visit(there.location))


def actions(site: Site) -> list[tuple[str, str, str]]:
    with site.store.read() as connection:
        entries = audit.entries(connection)
    return [(row.actor, row.action, row.subject) for row in reversed(entries)]


def test_a_colleague_who_comes_for_the_first_time_may_look(corp: Site, provider: Provider) -> None:
    """From the login's button to the page they wanted; the log says how they came."""
    browser = corp.browser()
    page = browser.get("/login?next=/postbacks?app_id%3D7")
    assert "Sign in with Corp" in page.text
    answer = sign_in(browser, "/login/oidc?next=/postbacks?app_id%3D7")
    assert (answer.status_code, answer.location) == (303, "/postbacks?app_id=7")
    assert "ada@corp.example" in browser.get("/postbacks").text
    assert browser.get("/settings/users").status_code == 403
    assert provider.asked[0]["redirect_uri"] == "http://localhost/login/oidc/callback"
    name = "ada@corp.example"
    assert actions(corp) == [
        (f"provider {provider.url}", "user.add", name),
        (f"user {name}", "user.sign_in", name),
    ]


def test_whoever_came_before_is_known_whatever_they_are_called_now(
    corp: Site, provider: Provider
) -> None:
    """Names and addresses change, and change hands; the provider's own name for them does not."""
    sign_in(corp.browser())
    provider.person = someone("ada", email="ada.lovelace@corp.example")
    browser = corp.browser()
    sign_in(browser)
    assert "ada@corp.example" in browser.get("/postbacks").text
    assert len(access.users(corp.store)) == 1

    # Ada's old address is given to somebody else, who is not Ada.
    provider.person = someone("eve", email="ada@corp.example")
    assert sign_in(corp.browser()).status_code == 403


def test_whoever_was_added_by_their_address_has_the_role_they_were_given(
    corp: Site, provider: Provider
) -> None:
    """However it was written; and may go on using a password."""
    token = access.add_user(corp.store, "Ada@Corp.example", NOW, Permit("admin"))
    access.choose_password(corp.store, token, PASSWORD, datetime.now(UTC))
    browser = corp.browser()
    assert sign_in(browser).status_code == 303
    assert browser.get("/settings/users").status_code == 200
    (user,) = access.users(corp.store)
    assert (user.issuer, user.subject) == (provider.url, "id-of-ada")
    assert access.sign_in(corp.store, "Ada@Corp.example", PASSWORD)


@pytest.mark.parametrize(
    "person",
    [
        someone("ada", email_verified=False),
        someone("ada", email_verified=None),
        someone("ada", email=None),
        someone("ada", email="ada@other.example"),
        someone("ada", email="ada@corp.example@other.example"),
        someone("ada", email="@corp.example"),
        someone("ada", email="ad\u212a@corp.example"),
        someone("ada", email="a" * 300 + "@corp.example"),
        someone("ada", email=["ada@corp.example"]),
    ],
)
def test_strangers_stay_out(corp: Site, provider: Provider, person: dict[str, Any]) -> None:
    """Without an address that the provider vouches for, of a domain of ours: nobody is added."""
    provider.person = person
    browser = corp.browser()
    answer = sign_in(browser)
    assert answer.status_code == 403
    assert "Ask an admin to add you" in answer.text
    assert browser.get("/").status_code == 303
    assert access.users(corp.store) == []


def test_without_a_role_only_those_come_in_who_were_added(
    provider: Provider, sqlite_url: str, tmp_path: Path
) -> None:
    """A provider that everybody has an account at opens nothing by itself."""
    site = site_of(provider, sqlite_url, tmp_path)
    assert sign_in(site.browser()).status_code == 403
    access.add_user(site.store, "ada@corp.example", NOW, Permit("viewer"))
    assert sign_in(site.browser()).status_code == 303
    site.close()


def test_a_provider_may_be_trusted_with_addresses(
    provider: Provider, sqlite_url: str, tmp_path: Path
) -> None:
    """Some never say that they have verified one: SKAN_OIDC_TRUST_EMAIL."""
    provider.person = someone("ada", email_verified=None)
    site = site_of(provider, sqlite_url, tmp_path, oidc_role="viewer", oidc_trust_email=True)
    assert sign_in(site.browser()).status_code == 303
    site.close()


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody else"},
        {"aud": [CLIENT, "somebody else"], "azp": "somebody else"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_us_now_is_not_believed(
    corp: Site, provider: Provider, lies: dict[str, Any]
) -> None:
    """Issuer, audience, nonce and age, each by itself."""
    provider.lies = lies
    browser = corp.browser()
    assert sign_in(browser).status_code == 502
    assert browser.get("/").status_code == 303
    assert access.users(corp.store) == []


def test_keys_change_and_others_keys_do_not_count(corp: Site, provider: Provider) -> None:
    """A new key is fetched when a token names it; what another key signed is refused."""
    assert sign_in(corp.browser()).status_code == 303
    provider.key = new_key("2")
    assert sign_in(corp.browser()).status_code == 303
    provider.signs_with = new_key("2")
    assert sign_in(corp.browser()).status_code == 502
    provider.signs_with = new_key("3")
    assert sign_in(corp.browser()).status_code == 502


def test_a_way_back_that_was_not_begun_here_leads_nowhere(corp: Site) -> None:
    """Another browser's code, a made-up state, one used before, and what others write there."""
    mine, theirs = corp.browser(), corp.browser()
    back = visit(mine.get("/login/oidc").location)
    assert theirs.get(back).status_code == 403
    assert mine.get(back).status_code == 303
    assert mine.get(back).status_code == 403
    for query in ("", "?code=x&state=y", "?error=access_denied", "?error=<b>call me</b>"):
        answer = corp.browser().get(f"/login/oidc/callback{query}")
        assert answer.status_code in {403, 502}, query
        assert "call me" not in answer.text


def test_the_address_may_be_in_the_userinfo(corp: Site, provider: Provider) -> None:
    """Where the ID token says only who; and it must be of the same one."""
    provider.in_token = False
    assert sign_in(corp.browser()).status_code == 303
    provider.lies = {"sub": "id-of-eve"}
    assert sign_in(corp.browser()).status_code == 403


def test_the_secret_is_sent_as_the_provider_takes_it(corp: Site, provider: Provider) -> None:
    """In the form, where it takes no other."""
    provider.described = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_in(corp.browser()).status_code == 303


def test_a_provider_that_is_down_or_another_is_said_and_asked_again(
    corp: Site, provider: Provider
) -> None:
    """Nobody restarts us because the provider was restarted."""
    provider.is_down = True
    answer = corp.browser().get("/login/oidc?next=/postbacks")
    assert (answer.status_code, "cannot be" in answer.text) == (502, True)
    assert 'value="/postbacks"' in answer.text
    provider.is_down = False
    provider.described = {"issuer": "https://other.example"}
    answer = corp.browser().get("/login/oidc")
    assert (answer.status_code, "https://other.example" in answer.text) == (502, True)
    provider.described = {}
    assert sign_in(corp.browser()).status_code == 303


def test_passwords_can_be_closed_and_links_stay(
    provider: Provider, sqlite_url: str, tmp_path: Path
) -> None:
    """SKAN_OIDC_ONLY: whoever has the server's shell still makes a link, and comes in by it."""
    site = site_of(provider, sqlite_url, tmp_path, oidc_only=True)
    site.sign_in()
    browser = site.browser()
    page = browser.get("/login")
    assert "Password" not in page.text
    fields = {"csrf_token": token_of(site.client.get("/")), "name": "admin", "password": PASSWORD}
    assert site.client.post("/login", data=fields).status_code == 403
    site.close()


def test_without_a_provider_there_is_no_such_way(site: Site) -> None:
    """It leads to the login."""
    assert "Sign in with" not in site.browser().get("/login").text
    for path in ("/login/oidc", "/login/oidc/callback?code=x&state=y"):
        assert site.browser().get(path).location == "/login"


def test_an_admin_by_provider_needs_no_link_at_the_next_start(
    corp: Site, provider: Provider
) -> None:
    """A viewer does not count: somebody has to be able to say who may what."""
    sign_in(corp.browser())
    assert access.ensure_admin(corp.store, NOW)
    access.change_user(corp.store, "ada@corp.example", Permit("admin"))
    assert access.ensure_admin(corp.store, NOW) is None


def test_a_provider_without_its_library_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says what to install."""
    monkeypatch.setitem(sys.modules, "authlib.integrations.flask_client", None)
    settings = Settings(var=tmp_path, oidc_issuer="https://login.example", oidc_client_id=CLIENT)
    with pytest.raises(ConfigurationError, match=r"pip install 'skan-receiver\[oidc\]'"):
        create_app(settings)
