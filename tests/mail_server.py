"""A mail server on loopback that keeps what it is sent, and refuses when it is told to."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message
from types import TracebackType
from typing import Self


class MailServer:
    """Speaks as much SMTP as smtplib does; `refuse` is how recipients are answered."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refuse = ""
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 fake")
                for line in self.rfile:
                    word = line[:4].strip().upper()
                    if word == b"RCPT" and outer.refuse:
                        self._say(outer.refuse)
                    elif word == b"DATA":
                        self._say("354 go on")
                        lines = []
                        while (part := self.rfile.readline()) != b".\r\n":
                            lines.append(part[1:] if part.startswith(b"..") else part)
                        outer.mails.append(message_from_bytes(b"".join(lines)))
                        self._say("250 kept")
                    elif word == b"QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 fine")

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    @property
    def address(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?mode=insecure&from=reports@example.org"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
