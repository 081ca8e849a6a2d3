"""A postback to take away: what it takes to verify it elsewhere, and all that is known of it."""

import io
import zipfile

from flask.wrappers import Response

from skan_receiver.protocol import parse
from skan_receiver.storage.meanings import Readings
from skan_receiver.storage.search import Story
from skan_receiver.web.api.models import story_of

README = """\
Postback {id}, as received.

postback.json       the body, byte for byte as it came
signed_message.bin  the bytes under Apple's signature
signature.bin       the signature: DER for SKAdNetwork, r and s for AdAttributionKit
story.json          everything that is known of it: verdict, arrivals, deliveries, meaning

Verdict: {verdict}{reason}. The key: {key_id}.

To judge it again with skan-receiver, without a database:

    skan-receiver verify postback.json

To judge it with OpenSSL and Apple's public key for SKAdNetwork (apple.pem), as Apple's
documentation, "Verifying an install-validation postback", prints it:

    openssl dgst -sha256 -verify apple.pem -signature signature.bin signed_message.bin
"""


def bundle_file(story: Story, readings: Readings) -> Response:
    """A zip of it to download."""
    name = f"postback-{story.row.id}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    content = bundle(story, readings)
    return Response(content, content_type="application/zip", headers=headers)


def bundle(story: Story, readings: Readings) -> bytes:
    """A zip of it; the same postback gives the same bytes."""
    row = story.row
    signature = parse(row.body).signature.value
    reason = f", because {row.reason}" if row.reason else ""
    readme = README.format(
        id=row.postback_id, verdict=row.verdict, reason=reason, key_id=row.key_id or "none"
    )
    parts = {
        "README.txt": readme.encode(),
        "postback.json": row.body,
        "signed_message.bin": row.signed_message,
        "signature.bin": signature,
        "story.json": story_of(story, readings).model_dump_json(indent=2).encode(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2018, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
