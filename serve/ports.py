"""Checks that nobody else listens where we want to, and that Rasa listens where no customer reaches it."""

import socket
from ipaddress import ip_address

from serve.errors import CannotStart


def require_free(host: str, port: int, what: str, setting: str) -> None:
    """Raise ``CannotStart`` when the port is taken, and say which setting chooses another one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host}, where {what} should listen, is taken ({error.strerror}); "
                f"stop the program that uses it, or choose another with {setting}."
            ) from error


def require_private(host: str, variable: str) -> None:
    """Raise ``CannotStart`` when the dialogue engine, which trusts everybody, would listen to the world."""
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or address.is_unspecified or not (address.is_loopback or address.is_private):
        raise CannotStart(
            f"The dialogue engine would listen on {host}, where strangers may reach it; "
            f"{variable} takes a loopback or private address such as http://127.0.0.1:5005."
        )
