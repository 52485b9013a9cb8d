"""Checks that nobody else listens where we want to."""

import socket

from serve.errors import CannotStart


def require_free(host: str, port: int, what: str, variable: str) -> None:
    """Raise ``CannotStart`` when the port is taken, and name the variable that chooses another one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host}, where {what} should listen, is taken ({error.strerror}); "
                f"stop the program that uses it, or choose another with {variable}=<port>."
            ) from error
