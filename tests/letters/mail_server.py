"""A mail server on loopback that keeps what it is given, or refuses every reader."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    port: int = 0
    refuses: bool = False
    letters: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def a_mail_server() -> Iterator[MailServer]:
    kept = MailServer()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.answer("220 ready")
            for line in self.rfile:
                command = line.decode().split(":")[0].split()[0].upper()
                if command == "DATA":
                    self.answer("354 go on")
                    kept.letters.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                    self.answer("250 kept")
                elif command == "RCPT" and kept.refuses:
                    self.answer(f"550 {line.decode().strip()} does not live here")
                elif command == "QUIT":
                    self.answer("221 bye")
                    return
                else:
                    self.answer("250 ok")

        def answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        kept.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield kept
        server.shutdown()
        thread.join()
