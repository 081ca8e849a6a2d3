"""What is for trying things out is on where it should not be."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from skan_receiver.alerting.rule import Finding, Rule, Sight

AT_HOME = (None, "localhost", "127.0.0.1", "::1")


def look(sight: Sight) -> Iterator[Finding]:
    """Test keys outside of a sandbox, a sandbox that has a public address."""
    settings = sight.settings
    if settings.test_keys is not None and not settings.sandbox:
        yield Finding(
            "SKAN_TEST_KEYS",
            f"Keys of {settings.test_keys.name} are trusted (SKAN_TEST_KEYS), and this is no "
            "sandbox: whoever has one can store postbacks here, as development.",
        )
    if settings.sandbox and urlsplit(settings.public_url).hostname not in AT_HOME:
        yield Finding(
            "SKAN_SANDBOX",
            f"Development postbacks count (SKAN_SANDBOX), and the address is public: "
            f"{settings.public_url}.",
        )


TEST_KEYS = Rule(
    "test_keys",
    "Test keys are trusted",
    "SKAN_TEST_KEYS is set and this is no sandbox, or SKAN_SANDBOX is set and the address public.",
    "Take the setting out of the environment of server and worker, and start them again.",
    look,
)
