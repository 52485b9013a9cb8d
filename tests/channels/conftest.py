"""The gateway of the chat's tests, and a program that talks to it through a channel."""

import pytest

from tests.channels.program import Program
from tests.web.gateway.chat import Gateway
from tests.web.gateway.conftest import brain, chat, shared

__all__ = ["brain", "chat", "shared"]


@pytest.fixture
def program(chat: Gateway) -> Program:
    return Program(chat)
