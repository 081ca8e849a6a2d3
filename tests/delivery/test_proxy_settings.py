"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY mean here what they mean to others."""

import pytest

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.proxies import Proxies
from skan_receiver.errors import ConfigurationError

SPARED = [
    # NO_PROXY, URL, whether it goes without
    ("", "http://partner.example/", False),
    ("*", "http://partner.example/", True),
    ("other.example, *", "http://partner.example/", True),
    ("partner.example", "http://partner.example/", True),
    ("PARTNER.example.", "http://Partner.Example/", True),
    ("partner.example", "http://partner.example./", True),
    ("partner.example", "https://in.partner.example/", True),
    (".partner.example", "https://in.partner.example/", True),
    (".partner.example", "https://partner.example/", True),
    ("*.partner.example", "https://in.partner.example/", True),
    ("partner.example", "https://notpartner.example/", False),
    ("partner.example", "https://partner.example.org/", False),
    ("example", "https://partner.example/", True),
    ("a.example b.example,\tc.example", "https://c.example/", True),
    ("partner.example:8080", "http://partner.example:8080/", True),
    ("partner.example:8080", "http://partner.example/", False),
    ("partner.example:443", "https://partner.example/", True),
    ("*:8080", "http://partner.example:8080/", False),
    (",,", "http://partner.example/", False),
    ("93.184.215.14", "http://93.184.215.14/", True),
    ("93.184.215.14:80", "http://93.184.215.14/", True),
    ("93.184.215.14:81", "http://93.184.215.14/", False),
    ("93.184.0.0/16", "http://93.184.215.14/", True),
    ("93.184.215.14/16", "http://93.184.1.1/", True),
    ("93.185.0.0/16", "http://93.184.215.14/", False),
    ("93.184.0.0/99", "http://93.184.215.14/", False),
    ("10.0.0.0/8", "http://10.1/", True),
    ("10.0.0.0/8", "http://partner.example/", False),
    ("215.14", "http://93.184.215.14/", False),
    ("::1", "http://[::1]/", True),
    ("[::1]", "http://[::1]/", True),
    ("[::1]:80", "http://[::1]/", True),
    ("[::1]:81", "http://[::1]/", False),
    ("2606:4700::/32", "https://[2606:4700::1111]/", True),
    ("0.0.0.0/0", "https://[2606:4700::1111]/", False),
]


@pytest.mark.parametrize(("no_proxy", "url", "spared"), SPARED)
def test_no_proxy_is_read_as_others_read_it(no_proxy: str, url: str, *, spared: bool) -> None:
    """Operators have one NO_PROXY for all that runs on a machine."""
    both = "http://proxy.example:3128"
    route = Proxies.read(http=both, https=both, no_proxy=no_proxy).route(target(url))
    assert (route.proxy is None) == spared


def test_each_scheme_has_its_proxy() -> None:
    """One may be set without the other."""
    only = Proxies.read(https="http://proxy.example:3128")
    assert only.route(target("http://partner.example/")).proxy is None
    assert str(only.route(target("https://partner.example/")).proxy) == "proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "meant"),
    [("http://proxy.example:3128", "proxy.example:3128"), ("proxy.example:1", "proxy.example:1"),
     ("http://proxy.example", "proxy.example:80"), ("HTTP://PROXY.example:1/", "proxy.example:1"),
     ("http://10.0.0.1:3128", "10.0.0.1:3128"), ("http://[fd00::1]:3128", "fd00::1:3128")],
)  # fmt: skip
def test_a_proxy_may_be_written_in_the_usual_ways(url: str, meant: str) -> None:
    """Its address may be private: it is the operator's."""
    assert str(Proxies.read(http=url).http) == meant


@pytest.mark.parametrize(
    "url", ["https://u:hunter2@proxy:1", "socks5://u:hunter2@proxy:1", "http://u:hunter2@",
            "http://u:hunter2@proxy:0", "http://u:hunter2@proxy:99999", "http://u:hunter2@[::"],
)  # fmt: skip
def test_a_proxy_we_cannot_use_is_named_without_its_password(url: str) -> None:
    """The message goes to the log."""
    with pytest.raises(ConfigurationError, match=r"^HTTPS_PROXY: ") as raised:
        Proxies.read(https=url)
    assert "hunter2" not in str(raised.value)
