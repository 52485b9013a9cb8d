"""Hands letters to the firm's mail server; where that is, the environment says (``RAPPORT_SMTP_URL``)."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from crmcore.errors import CrmError
from crmcore.letters import Letter

DEADLINE_SECONDS = 20.0
_PORTS = {"smtp": 587, "smtps": 465}

Send = Callable[[Letter, str], None]  # A letter, and the address that it comes from.


class UnusableMailServer(CrmError):
    """The address of the mail server cannot be read."""

    def __init__(self) -> None:
        # The address is not repeated: it holds a password.
        super().__init__(
            "RAPPORT_SMTP_URL is no address of a mail server; "
            "allowed are smtps://user:password@host:465 and smtp://user:password@host:587"
        )


class NotSent(CrmError):
    """The mail server did not take a letter. The text names neither the reader nor what was written."""

    def __init__(self, kind: str, error: Exception) -> None:
        code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        super().__init__(f"the mail server did not take a {kind!r} letter: {type(error).__name__}{code}")


def smtp(url: str) -> Send:
    """What sends a letter over ``url``, encrypted unless the server is on this machine.

    ``smtps`` speaks TLS from the first byte, ``smtp`` begins it with STARTTLS.

    Raises
    ------
    UnusableMailServer : at once, when the address cannot be read.
    NotSent : by what is returned, when the server is away, refuses, or is silent for
        ``DEADLINE_SECONDS``.
    """
    server = urlsplit(url)
    try:
        host, port = server.hostname, server.port or _PORTS[server.scheme]
    except (KeyError, ValueError) as error:
        raise UnusableMailServer from error
    if not host:
        raise UnusableMailServer
    address = (host, port)

    def send(letter: Letter, sender: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, letter.recipient, letter.subject
        message.set_content(letter.body)
        try:
            with _connect(server, address) as connection:
                if server.username is not None:
                    connection.login(unquote(server.username), unquote(server.password or ""))
                connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            # The cause is left behind: a server repeats the reader's address in its refusal.
            raise NotSent(letter.kind, error) from None

    return send


def _connect(server: SplitResult, address: tuple[str, int]) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(*address, timeout=DEADLINE_SECONDS, context=context)
    connection = smtplib.SMTP(*address, timeout=DEADLINE_SECONDS)
    if not _on_this_machine(address[0]):
        connection.starttls(context=context)
    return connection


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
