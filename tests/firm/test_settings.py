"""What the environment may say, and that a mistake in it is one sentence and never an open door."""

import stat
from pathlib import Path

import pytest

from crmcore.settings import WrongSetting, read_settings

GOOD = "ab" * 32


def test_a_fresh_home_belongs_to_its_owner_alone_and_gets_its_own_secrets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = read_settings({"RAPPORT_HOME": str(home)})
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert len({settings.secret.hex(), settings.action_secret, settings.widget_secret}) == 3
    assert read_settings({"RAPPORT_HOME": str(home)}) == settings


@pytest.mark.parametrize("name", ["RAPPORT_SECRET", "RAPPORT_ACTION_SECRET", "RAPPORT_WIDGET_SECRET"])
@pytest.mark.parametrize("value", ["", "short"])
def test_an_empty_or_short_secret_opens_nothing(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"{name} holds {len(value)} characters"):
        read_settings({"RAPPORT_HOME": str(tmp_path), name: value})


def test_a_secret_file_that_a_crash_left_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "action_secret").touch()
    with pytest.raises(WrongSetting, match="action_secret holds 0 characters"):
        read_settings({"RAPPORT_HOME": str(tmp_path)})


def test_a_secret_that_cannot_be_read_is_named_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="RAPPORT_SECRET is not hexadecimal") as refused:
        read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_SECRET": "x" * 64})
    assert "xxx" not in str(refused.value)


@pytest.mark.parametrize("port", ["", "abc", "0", "-1", "65536", "8080.0"])
def test_a_wrong_port_is_one_sentence(tmp_path: Path, port: str) -> None:
    for name in ("RAPPORT_PORT", "RAPPORT_ACTION_PORT"):
        with pytest.raises(WrongSetting, match=f"{name} is '{port}'"):
            read_settings({"RAPPORT_HOME": str(tmp_path), name: port})


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WrongSetting, match="set RAPPORT_HOME"):
            read_settings({"RAPPORT_HOME": str(home)})


def test_several_dialogue_engines_are_separated_by_commas(tmp_path: Path) -> None:
    given = "http://127.0.0.1:5005, http://10.0.0.7:5005/"
    settings = read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_RASA_URL": given})
    assert settings.rasa_urls == ("http://127.0.0.1:5005", "http://10.0.0.7:5005")


@pytest.mark.parametrize(
    "given", ["", ",", "127.0.0.1:5005", "http://127.0.0.1", "http://h:x", "http://h:1,http://h:1/"]
)
def test_a_wrong_address_of_a_dialogue_engine_is_one_sentence(tmp_path: Path, given: str) -> None:
    with pytest.raises(WrongSetting, match="RAPPORT_RASA_URL"):
        read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_RASA_URL": given})


def test_the_trackers_database_is_postgresql_under_whatever_driver_it_is_named(tmp_path: Path) -> None:
    for scheme in ("postgresql", "postgresql+psycopg"):
        given = f"{scheme}://rasa:hush@db/rasa"
        settings = read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_TRACKER_URL": given})
        assert settings.tracker_url == "postgresql://rasa:hush@db/rasa"
    with pytest.raises(WrongSetting, match="RAPPORT_TRACKER_URL must name a PostgreSQL") as refused:
        read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_TRACKER_URL": "mysql://rasa:hush@db/rasa"})
    assert "hush" not in str(refused.value)


def test_a_wrong_address_of_redis_is_one_sentence_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="RAPPORT_REDIS_URL must be redis://") as refused:
        read_settings({"RAPPORT_HOME": str(tmp_path), "RAPPORT_REDIS_URL": "http://:hush@cache:6379"})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAPPORT_LOG_FORMAT", "xml"),
        ("RAPPORT_METRICS_TOKEN", "short"),
        ("RAPPORT_TRUSTED_PROXIES", "*"),
        ("RAPPORT_TRUSTED_PROXIES", "10.0.0.5,proxy"),
    ],
)
def test_what_would_open_a_door_or_blind_the_operator_is_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(WrongSetting, match=name):
        read_settings({"RAPPORT_HOME": str(tmp_path), name: value})
