"""Ctrl-C ends the product with everything it started, and a second start answers again."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.live.product import RunningProduct


def test_ctrl_c_ends_everything_and_a_second_start_answers_with_the_same_firm(tmp_path: Path) -> None:
    product = RunningProduct(tmp_path)
    product.start()
    password = product.password_of("anna@alderandbell.example")
    assert product.stop(signal.SIGINT) == 0
    for port in (product.port, product.rasa_port):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/")
    assert "Traceback" not in "".join(product.output)

    product.start()
    try:
        assert product.password_of("anna@alderandbell.example") == password, "the firm was loaded twice"
    finally:
        assert product.stop(signal.SIGINT) == 0
