"""Checks that nobody else listens where we want to, and that only we reach what trusts everybody."""

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


def require_private(host: str, what: str, setting: str) -> str:
    """The address of ``host`` to listen on: loopback or private, never one that the world may reach.

    A name is looked up (containers are called by name), and every address behind it must be private.

    Raises
    ------
    CannotStart : strangers could reach it, or the name is unknown here.
    """
    found = _addresses_of(host)
    if not found:
        raise CannotStart(
            f"{what} would listen on {host}, a name that this machine does not know; {setting}."
        )
    if not all(_is_private(address) for address in found):
        raise CannotStart(
            f"{what} would listen on {host}, where strangers may reach it; {setting} "
            "takes a loopback or private address such as 127.0.0.1."
        )
    return found[0]


def _addresses_of(host: str) -> list[str]:
    try:
        return [
            str(entry[4][0]) for entry in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        ]
    except OSError:
        pass
    try:
        return [str(ip_address(host))]  # An IPv6 address as such.
    except ValueError:
        return []


def _is_private(address: str) -> bool:
    parsed = ip_address(address)
    return not parsed.is_unspecified and (parsed.is_loopback or parsed.is_private)
