"""Keeps secrets out of what is written down: logs, tries, errors, pages."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Iterator
from html import escape
from urllib.parse import quote, quote_plus

from skan_receiver.delivery.templates.values import Secrets

MASK = "•••"

# Fewer characters of base64 are found in anything.
SHORTEST_CORE = 8
# So many characters of a secret at the very end of a text are no chance.
SHORTEST_PART = 3


def mask(text: str, secrets: Secrets) -> str:
    """The text with every secret's value replaced, in whichever way an answer may repeat it."""
    if not text:
        return text
    forms = {form for secret in secrets.values() if secret for form in _forms(secret)}
    # The longest first: what is left of a half-masked secret is half a secret.
    there = sorted((form for form in forms if form in text), key=lambda form: (-len(form), form))
    if there:
        text = re.sub("|".join(map(re.escape, there)), MASK, text)
    return _cut(text, forms)


def _cut(text: str, forms: Collection[str]) -> str:
    """Answers are cut before they come here: where a secret was cut with them, its first part."""
    tail = text[-max(map(len, forms), default=0) :]
    near = [form for form in forms if form[:SHORTEST_PART] in tail]
    longest = max(
        (n for form in near for n in range(SHORTEST_PART, len(form)) if text.endswith(form[:n])),
        default=0,
    )
    return text[:-longest] + MASK if longest else text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield escape(secret)
    yield escape(secret, quote=False)
    raw = secret.encode(errors="surrogatepass")
    for percent in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield percent
        yield re.sub("%..", lambda percented: percented[0].lower(), percent)
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", r"\/")  # as PHP writes it
    yield from _base64(raw)


def _base64(secret: bytes) -> Iterator[str]:
    """Alone, and as a part of something longer, which shifts it by one or two bytes."""
    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(secret).decode()
        yield whole
        yield whole.rstrip("=")
        for shift in range(3):
            # The characters that neighbours have a say in are left out.
            encoded = encode(bytes(shift) + secret).decode()
            core = encoded[(shift * 8 + 5) // 6 : (shift + len(secret)) * 8 // 6]
            if len(core) >= SHORTEST_CORE:
                yield core
