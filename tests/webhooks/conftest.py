"""An installation that may send to this machine, and a receiver on it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from crmcore.crm import Crm
from crmcore.webhook_http import to_any_address
from tests.webhooks.receiver import Receiver, receiver


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def sending(crm: Crm) -> Crm:
    return replace(crm, post=to_any_address, private_webhooks=True)


@pytest.fixture
def sending_on_both(crm_on_both: Crm) -> Crm:
    return replace(crm_on_both, post=to_any_address, private_webhooks=True)
