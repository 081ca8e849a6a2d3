"""E-mail, by the server that SKAN_SMTP_URL names."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from skan_receiver.alerting.channels.kind import Address, Kind, Wires
from skan_receiver.alerting.notice import Notice
from skan_receiver.config import Settings
from skan_receiver.delivery.transport import plain
from skan_receiver.errors import DeliveryFailed

SECONDS = 10
SUBMISSION, SUBMISSIONS = 587, 465
AT_HOME = ("localhost", "127.0.0.1", "::1")


def send(wires: Wires, address: Address, notice: Notice) -> None:
    """One message to all; encrypted where the server can, and always where there is a password."""
    if not wires.settings.smtp_url:
        said = "no server is named: set SKAN_SMTP_URL, as in smtp://user:password@mail.example:587"
        raise DeliveryFailed(said, kind="connect")
    try:
        with _connected(urlsplit(wires.settings.smtp_url)) as server:
            server.send_message(_message(wires.settings, address, notice))
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailed(plain(f"the mail server: {error}"), kind="connect") from error


def _connected(url: SplitResult) -> smtplib.SMTP:
    host, trusted = url.hostname or "", ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, url.port or SUBMISSIONS, timeout=SECONDS, context=trusted
        )
    else:
        server = smtplib.SMTP(host, url.port or SUBMISSION, timeout=SECONDS)
        server.ehlo()
        # A mail server of one's own has a certificate that nobody signed.
        if host not in AT_HOME:
            _encrypt(server, trusted, must=bool(url.username))
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def _encrypt(server: smtplib.SMTP, trusted: ssl.SSLContext, *, must: bool) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=trusted)
    elif must:
        server.close()
        said = "the mail server offers no STARTTLS, and a password is not sent in the clear"
        raise DeliveryFailed(said, kind="tls")


def _message(settings: Settings, address: Address, notice: Notice) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = plain(notice.subject)
    message["From"] = settings.smtp_from or f"skan-receiver@{urlsplit(settings.smtp_url).hostname}"
    message["To"] = ", ".join(address.to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = make_msgid(notice.id, "skan-receiver")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers
    message.set_content(notice.text)
    return message


EMAIL = Kind("email", "E-mail", ("to",), (), send)
