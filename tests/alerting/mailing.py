"""A mail server on this machine that takes whatever it is given, and keeps it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mails:
    """`said` grows: a list of lines for each session, commands and message alike."""

    url: str = ""
    said: list[list[str]] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    mails: Mails

    def handle(self) -> None:
        lines: list[str] = []
        self.mails.said.append(lines)
        self._answer("220 here")
        in_data = False
        while raw := self.rfile.readline():
            line = raw.decode().rstrip("\r\n")
            lines.append(line)
            if in_data:
                in_data = line != "."
                if not in_data:
                    self._answer("250 taken")
            elif line.upper() == "DATA":
                in_data = True
                self._answer("354 go on")
            elif line.upper() == "QUIT":
                self._answer("221 bye")
                return
            else:
                self._answer("250 here")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server(host: str = "127.0.0.1") -> Iterator[Mails]:
    """While the block lasts."""
    mails = Mails()
    handler = type("Session", (_Session,), {"mails": mails})
    with socketserver.ThreadingTCPServer((host, 0), handler) as server:
        server.daemon_threads = True
        mails.url = f"smtp://{host}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield mails
        finally:
            server.shutdown()
            thread.join()
