"""The disk before the answer: between any two answers of 200 the store was synced.

A power cut cannot be made here; what it would find is what had been synced. One postback at a
time, no worker beside it, and the system calls as strace (Debian) sees them.
"""

import re
import shutil
from pathlib import Path

from skan_receiver.testing import encode
from tests.faults.ledger import audit
from tests.faults.service import Service, folder

POSTBACKS = 50

ANSWER = re.compile(r'sendto\(.*"HTTP/1\.1 200')
SYNC = re.compile(r"fdatasync\(|fsync\(")


def available() -> bool:
    return shutil.which("strace") is not None


def run() -> dict[str, object]:
    """Trace the service while it answers; the answers that nothing was synced for."""
    place = folder()
    try:
        trace = place / "trace"
        url = f"sqlite:///{place}/skan.sqlite3"
        service = Service(url, place)
        watched = "trace=fdatasync,fsync,sendto"
        service.start(prefix=("strace", "-f", "-o", str(trace), "-e", watched), worker=False)
        acked = set()
        before = len(_answers(trace))
        for _ in range(POSTBACKS):
            body = service.signer.skadnetwork("4.0")
            status, _ = service.post(encode(body))
            assert status == 200
            acked.add(body["transaction-id"])
        answers = _answers(trace)[before:]
        service.kill()
        books = audit(url, acked)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {
        "fault": "sync before the answer",
        "store": "sqlite",
        "answers_200": len(answers),
        "without_sync": answers.count(False),
        **books.as_dict(),
        "balanced": books.balanced and len(answers) == POSTBACKS and all(answers),
    }


def _answers(trace: Path) -> list[bool]:
    """For each answer of 200, whether anything was synced since the one before."""
    answers, synced = [], False
    for line in trace.read_text(errors="replace").splitlines():
        if SYNC.search(line):
            synced = True
        elif ANSWER.search(line):
            answers.append(synced)
            synced = False
    return answers
