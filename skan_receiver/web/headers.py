"""What every answer to a browser says of itself."""

from flask import current_app
from flask.wrappers import Response

# No script or style but from our own files; nothing from, in or to anywhere else.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # a one-time link is in its address
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
A_YEAR = "max-age=31536000"


def harden(response: Response) -> Response:
    """An `after_request` of every blueprint that people or programs look at.

    Not of the application's: devices read no headers, and there are many of them.
    """
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # What is here is for whoever asked, and for now.
    response.headers.setdefault("Cache-Control", "no-store")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", A_YEAR)
    return response
