"""Who gets in, how, and for how long."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from skan_receiver.storage import Store, access, audit
from tests.web.site import PASSWORD, Site, token_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def sign_in(browser: FlaskClient, name: str, password: str, **more: str) -> int:
    fields = {"csrf_token": token_of(browser.get("/login")), "name": name, "password": password}
    return browser.post("/login", data=fields | more).status_code


def test_the_first_start_gives_a_link_with_which_to_choose_a_password(site: Site) -> None:
    """Nobody needs a default password that everybody knows."""
    link = site.invite()
    assert site.client.get("/").headers["Location"] == "/login?next=/"
    assert site.client.get(link).status_code == 200
    assert site.submit(link, password=PASSWORD, again=PASSWORD).headers["Location"] == "/"
    assert site.client.get("/").status_code == 200


def test_a_link_works_once(site: Site) -> None:
    """Looking at it does not use it up; choosing a password does."""
    link = site.invite()
    token = site.token(link)
    site.submit(link, password=PASSWORD, again=PASSWORD)
    assert site.browser().get(link).status_code == 404
    again = site.client.post(link, data={"csrf_token": token, "password": PASSWORD})
    assert again.status_code in {400, 404}
    assert access.ensure_admin(site.store, NOW) is None


def test_a_link_is_good_for_a_day(store: Store) -> None:
    """A link found in an old mail opens nothing."""
    token = access.ensure_admin(store, NOW)
    assert token
    later = NOW + timedelta(hours=24)
    assert access.invited(store, token, later - timedelta(seconds=1))
    assert access.invited(store, token, later) is None
    assert access.choose_password(store, token, PASSWORD, later) is None


def test_only_the_newest_link_is_good(store: Store) -> None:
    """Until a password is chosen every start prints a link, and the one before is dead."""
    first, second = access.ensure_admin(store, NOW), access.ensure_admin(store, NOW)
    assert first
    assert second
    assert access.invited(store, first, NOW) is None
    assert access.invited(store, second, NOW)


@pytest.mark.parametrize(
    ("password", "again"), [("short", "short"), (PASSWORD, "another one"), ("x" * 2000, "x" * 2000)]
)
def test_a_password_is_long_enough_and_typed_twice_alike(
    site: Site, password: str, again: str
) -> None:
    """What is refused leaves the link as it was."""
    link = site.invite()
    assert site.submit(link, password=password, again=again).status_code == 422
    assert site.submit(link, password=PASSWORD, again=PASSWORD).status_code == 303


def test_name_and_password_let_in(site: Site) -> None:
    """The right pair; a wrong name and a wrong password get the same answer."""
    site.sign_in()
    assert sign_in(site.browser(), "admin", PASSWORD) == 303
    wrong = [("admin", "not the password"), ("nobody", PASSWORD), ("ad\0min", PASSWORD), ("", "")]
    assert {sign_in(site.browser(), *pair) for pair in wrong} == {422}


def test_guessing_is_slowed_down(site: Site) -> None:
    """Six wrong guesses in a row: the sixth is not even looked at."""
    site.sign_in()
    guesses = [sign_in(site.browser(), "admin", f"guess {n} guess") for n in range(6)]
    assert guesses == [422] * 5 + [429]
    assert sign_in(site.browser(), "admin", PASSWORD) == 429


def test_a_name_that_nobody_can_have_is_not_looked_for(site: Site) -> None:
    """Turned away as a wrong one, however often: there is nothing to remember, or to hash."""
    site.sign_in()
    longest = "x" * access.LONGEST_NAME
    guesses = [sign_in(site.browser(), longest + "x", PASSWORD) for _ in range(6)]
    assert guesses == [422] * 6
    guesses = [sign_in(site.browser(), longest, PASSWORD) for _ in range(6)]
    assert guesses == [422] * 5 + [429]
    with pytest.raises(access.AccessError, match="200"):
        access.add_user(site.store, longest + "x", NOW)


def test_whoever_signs_in_comes_back_to_where_they_were_going(site: Site) -> None:
    """To a path of ours, and nowhere else."""
    site.sign_in()
    browser = site.browser()
    assert browser.get("/postbacks?app_id=7").headers["Location"] == (
        "/login?next=/postbacks?app_id%3D7"
    )
    fields = {"name": "admin", "password": PASSWORD}
    for wanted, came in [
        ("/postbacks?app_id=7", "/postbacks?app_id=7"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nSet-Cookie: x=y", "/"),
        ("/\t/evil.example", "/"),
        ("//[", "/"),
        ("http://[", "/"),
        ("/[", "/%5B"),
        ("", "/"),
    ]:
        browser = site.browser()
        token = token_of(browser.get("/login"))
        answer = browser.post("/login", data=fields | {"csrf_token": token, "next": wanted})
        assert answer.headers["Location"] == came


@pytest.mark.parametrize("wanted", ["//[", "http://[", "/\t/[", "/["])
def test_an_address_that_is_none_is_no_fault_of_ours(site: Site, wanted: str) -> None:
    """Strangers write what they like behind `next=`; the form is shown, or left, all the same."""
    query = {"next": wanted}
    assert site.browser().get("/login", query_string=query).status_code == 200
    assert site.sign_in().get("/login", query_string=query).status_code == 303


def test_signing_out_ends_the_session_everywhere(site: Site) -> None:
    """A cookie that somebody copied before is worth nothing afterwards."""
    site.sign_in()
    cookie = site.client.get_cookie("skan")
    assert cookie
    thief = site.browser()
    thief.set_cookie("skan", cookie.value)
    assert thief.get("/").status_code == 200
    assert site.client.post("/logout", data={"csrf_token": site.token("/")}).status_code == 303
    assert [site.client.get("/").status_code, thief.get("/").status_code] == [303, 303]


def test_a_new_password_ends_all_sessions(site: Site) -> None:
    """Whoever knew the old one is out."""
    old = site.sign_in()
    token = access.new_link(site.store, "admin", datetime.now(UTC))
    assert access.choose_password(site.store, token, "another good password", datetime.now(UTC))
    assert old.get("/").status_code == 303
    assert sign_in(site.browser(), "admin", PASSWORD) == 422


def test_a_removed_user_is_out(site: Site) -> None:
    """At once, not when the cookie ends."""
    site.sign_in()
    access.add_user(site.store, "ada", NOW)
    assert access.remove_user(site.store, "admin")
    assert site.client.get("/").status_code == 303


def test_a_session_lasts_twelve_hours_however_busy(site: Site) -> None:
    """The beginning is part of what is signed."""
    site.sign_in()
    with site.client.session_transaction() as session:
        session["since"] -= 12 * 3600 + 1
    assert site.client.get("/").status_code == 303


def test_a_session_begins_afresh(site: Site) -> None:
    """What somebody planted in the browser before is not there after signing in."""
    with site.client.session_transaction() as session:
        session["planted"] = "x"
    site.sign_in()
    with site.client.session_transaction() as session:
        assert "planted" not in session


def test_no_form_is_believed_without_its_token(site: Site) -> None:
    """Whichever form, whichever way the token is missing or wrong: nothing happens."""
    link = site.invite()
    forms = ("/login", "/logout", link)
    tokens: list[dict[str, str]] = [{}, {"csrf_token": ""}, {"csrf_token": "x"}]
    for path, token in product(forms, tokens):
        fields = {"name": "admin", "password": PASSWORD, "again": PASSWORD, **token}
        assert site.client.post(path, data=fields).status_code == 400
    assert access.ensure_admin(site.store, NOW)  # still nobody has a password


def test_a_form_from_another_site_is_refused(site: Site) -> None:
    """Even with a good token: browsers say where a form was sent from."""
    site.sign_in()
    data = {"csrf_token": site.token("/")}
    for origin in ("cross-site", "same-site"):
        answer = site.client.post("/logout", data=data, headers={"Sec-Fetch-Site": origin})
        assert answer.status_code == 400
    assert site.client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [("", "skan", False), ("https://skan.example", "__Host-skan", True)],
)
def test_the_cookie_says_what_browsers_enforce(
    sqlite_url: str, tmp_path: Path, public_url: str, name: str, secure: bool
) -> None:
    """Out of reach of scripts and other sites; over TLS bound to this very host."""
    site = Site(sqlite_url, tmp_path, public_url=public_url)
    answer = site.browser().get("/login", base_url=public_url or "http://localhost")
    cookie = answer.headers["Set-Cookie"]
    site.close()
    assert cookie.startswith(f"{name}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert ("Secure" in cookie) == secure
    assert ("Strict-Transport-Security" in answer.headers) == secure


def test_devices_get_no_cookie(site: Site) -> None:
    """Sessions cost those who have none nothing: no cookie, no Vary, no key."""
    answer = site.browser().post("/receive", data=b"{}")
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_no_secret_is_in_the_database(site: Site) -> None:
    """Whoever reads it can neither sign in nor call."""
    token = site.invite().removeprefix("/login/")
    key = site.key("read")["Authorization"].removeprefix("Bearer ")
    with site.store.read() as connection:
        everything = repr(
            [
                row
                for table in ("account", "api_key")
                for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
            ]
        )
    assert token not in everything
    assert key not in everything


def test_a_link_is_not_in_the_log_when_something_breaks(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It is good for a day, and more people read logs than may sign in."""
    link = site.invite()
    with site.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET created_at = 'by hand'")
    with capture_logs() as logged:
        answer = site.browser().get(link, headers={"X-Request-Id": "proxy-7"})
    assert answer.status_code == 500
    assert (logged[-1]["endpoint"], logged[-1]["request"]) == ("login.link", "proxy-7")
    assert "exc_info" in logged[-1]
    assert link.removeprefix("/login/") not in f"{logged} {caplog.text}"


def test_all_of_one_network_guess_together(site: Site) -> None:
    """Whoever has one address of IPv6 has all of its network; the next network is another's."""
    site.sign_in()
    browser = site.browser()
    token = token_of(browser.get("/login"))

    def guess(address: str) -> int:
        fields = {"csrf_token": token, "name": "admin", "password": "guess guess guess"}
        environment = {"REMOTE_ADDR": address}
        return browser.post("/login", data=fields, environ_overrides=environment).status_code

    guesses = [guess(f"2001:db8::{n}") for n in range(6)]
    assert guesses == [422] * 5 + [429]
    assert guess("2001:db8:0:1::1") == 422
    assert guess("::ffff:192.0.2.1") == 422
    assert guess("192.0.2.1") == 422


def test_coming_and_going_is_in_the_audit_log(site: Site) -> None:
    """By which way, and when; a wrong guess is nobody's deed."""
    site.sign_in()
    site.client.post("/logout", data={"csrf_token": site.token("/")})
    sign_in(site.client, "admin", "wrong wrong wrong")
    sign_in(site.client, "admin", PASSWORD)
    with site.store.read() as connection:
        told = [(row.actor, row.action, row.detail) for row in audit.entries(connection)]
    assert told == [
        ("user admin", "user.sign_in", '{"by": "password"}'),
        ("user admin", "user.sign_out", "{}"),
        ("user admin", "user.sign_in", '{"by": "link"}'),
    ]
