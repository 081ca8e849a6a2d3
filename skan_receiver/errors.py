"""Everything that can stop us, as one tree.

    SkanError
    ├── Malformed            a body we cannot read; names the member at fault
    │   ├── NotJson          … not even as JSON: nobody can, so it is refused (400)
    │   └── UnknownVersion   … because it is newer than we are: kept, judged later
    ├── SchemaError          a conversion schema with mistakes; carries every one of them
    ├── ConfigurationError   a setting, key file or destination is wrong
    ├── StoreUnavailable     nothing could be written; the sender should try again (500)
    └── DeliveryFailed       a destination did not take a delivery

    Of parts of it alone: TemplateRefused, UnknownDestination, Changed (`delivery`), Unpublishable,
    AccessError (`storage`): what was asked for cannot be, and the message says why.

An invalid signature is not here: it is a fact we store, not a reason to stop.
"""

from collections.abc import Sequence


class SkanError(Exception):
    """The root: `except SkanError` catches whatever this library raises."""


class Malformed(SkanError):
    """A body that is no Apple postback as far as we can read it.

    `member` is the JSON member at fault, None where it is the body as a whole.
    """

    def __init__(self, reason: str, member: str | None = None) -> None:
        super().__init__(f"{member}: {reason}" if member else reason)
        self.reason = reason
        self.member = member


class NotJson(Malformed):
    """The bytes break a limit of JSON itself: no upgrade will make them readable."""


class UnknownVersion(Malformed):
    """A SKAdNetwork version that came out after this release: unverifiable, not forged."""


class SchemaError(SkanError):
    """A conversion schema with mistakes. Each problem prints as `file:line: field: what`."""

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ConfigurationError(SkanError):
    """A setting, or a file a setting names, is wrong; the message names it and the remedy."""


class StoreUnavailable(SkanError):
    """The store took nothing. Apple's devices try again after a 500."""


class DeliveryFailed(SkanError):
    """A destination did not take the delivery; `permanent` says that trying again cannot help.

    `kind` is one word for the log and its counters:

        url        the URL is refused: no http(s), a port of another protocol, a trick of parsers
        method     neither GET, POST nor PUT, or a GET with a body
        header     a name or value that could be more than one header, or that is ours to set
        address    the host is, or leads to, an address that is forbidden
        resolve    the host's name is not known, or the name server does not answer
        connect    no address of the host takes a connection
        tls        the certificate is not to be trusted, or there is no TLS
        timeout    the exchange was not over by its deadline
        closed     the connection broke before there was an answer
        protocol   what came is no HTTP
        refused    it answered, and did not take it
        proxy      the proxy cannot be reached, refuses, or makes no sense
        gone       what it is about is no longer kept, was taken back, or is not mapped any more
        rate       there is no rate of exchange for the day of an event
        template   a template asks for what is not there
        secret     a secret is missing, or of no use
        store      what was to be sent could not be read
        file       a file cannot be written, its protocol is not allowed, or its path is none
        stopped    we hung up: the worker is stopping
        internal   we broke: a bug
    """

    def __init__(self, reason: str, *, permanent: bool = False, kind: str = "internal") -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.kind = kind
