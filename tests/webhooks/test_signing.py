"""How events are signed, and where they may be sent."""

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.webhooks import (
    ATTEMPTS,
    PAUSES,
    Endpoint,
    InvalidEndpoint,
    check_events,
    check_url,
    is_public,
    pause_after,
    secrets_in_force,
    signed_headers,
)

NOW = datetime(2026, 3, 11, 10, tzinfo=UTC)


def test_the_signature_is_the_one_of_the_published_example() -> None:
    """The example of the reference libraries of Standard Webhooks (test "sign function works")."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_after_a_rotation_two_secrets_are_in_force_for_a_while_and_then_one() -> None:
    endpoint = Endpoint(
        "whk_1", "https://a.example", (), NOW, generation=1, previous_until=NOW + timedelta(hours=1)
    )
    new, old = secrets_in_force(b"s" * 32, endpoint, NOW)
    assert new != old
    assert secrets_in_force(b"s" * 32, endpoint, NOW + timedelta(hours=1)) == (new,)
    first = Endpoint("whk_1", "https://a.example", (), NOW)
    assert secrets_in_force(b"s" * 32, first, NOW) == (old,)


def test_every_endpoint_and_every_installation_has_secrets_of_its_own() -> None:
    one, two = (Endpoint(f"whk_{n}", "https://a.example", (), NOW) for n in (1, 2))
    made = {secrets_in_force(key * 32, endpoint, NOW) for key in (b"s", b"t") for endpoint in (one, two)}
    assert len(made) == 4


def test_eight_attempts_take_a_little_more_than_a_day() -> None:
    assert ATTEMPTS == 8
    assert timedelta(hours=24) < sum(PAUSES, timedelta()) < timedelta(hours=30)
    assert pause_after(ATTEMPTS) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://shop.example/hook", "https"),
        ("ftp://shop.example/hook", "https"),
        ("https://user:pass@shop.example/hook", "neither a user"),
        ("https://shop.example/hook#part", "#fragment"),
        ("https:///hook", "names a host"),
        ("https://shop.example:99999/hook", "no address"),
        ("https://shop.example/" + "x" * 2000, "at most"),
        ("https://shop.example/a b", "no blanks"),
        ("https://shöp.example/", "ASCII"),
        ("https://10.1.2.3/hook", "RAPPORT_WEBHOOK_PRIVATE_ADDRESSES"),
        ("https://169.254.169.254/latest/meta-data", "RAPPORT_WEBHOOK_PRIVATE_ADDRESSES"),
        ("https://[::ffff:10.0.0.1]/", "RAPPORT_WEBHOOK_PRIVATE_ADDRESSES"),
        ("http://localhost:9000/hook", "RAPPORT_WEBHOOK_PRIVATE_ADDRESSES"),
    ],
)
def test_an_address_that_breaks_a_rule_is_refused_with_the_rule(url: str, says: str) -> None:
    with pytest.raises(InvalidEndpoint, match=says):
        check_url(url, allow_private=False)


def test_a_public_address_is_taken_and_with_the_setting_one_of_this_machine() -> None:
    assert check_url("https://shop.example:8443/hook?a=b", allow_private=False)
    assert check_url("http://127.0.0.1:9000/hook", allow_private=True)
    with pytest.raises(InvalidEndpoint, match="https"):
        check_url("http://10.1.2.3/hook", allow_private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),  # NAT64 of 127.0.0.1
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
        ("2001:0:53aa:64c:0:0:80ff:fffe", False),  # Teredo
    ],
)
def test_addresses_of_machines_and_networks_are_not_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_events_are_chosen_by_name_and_a_wrong_one_is_refused() -> None:
    assert check_events(["order.recorded", "need.confirmed", "order.recorded"]) == (
        "order.recorded",
        "need.confirmed",
    )
    assert len(check_events(["all"])) > 10
    for wrong in (["order.lost"], []):
        with pytest.raises(InvalidEndpoint, match="choose all"):
            check_events(wrong)
