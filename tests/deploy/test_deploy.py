"""The files in ``deploy/`` fit this product: every setting, command, file and port in them is meant."""

import configparser
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from cli.__main__ import app
from crmcore.settings import SHORTEST_SECRET
from serve.parts import PARTS
from tests.builders import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (DEPLOY / "rapport.env.example").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*"))
# Of the Compose file itself and of the images that are not ours.
OTHERS = {"RAPPORT_SITE", "RAPPORT_DB_PASSWORD"}


def known_settings() -> set[str]:
    sources = (ROOT / "crmcore" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'"(RAPPORT_[A-Z_]+)"', sources))


def example() -> dict[str, str]:
    lines = [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def environment_of(service: dict[str, Any]) -> dict[str, str]:
    return {**(example() if "env_file" in service else {}), **service.get("environment", {})}


def require_command(words: list[str]) -> None:
    """The command and its options are those of our command line."""
    command: Any = get_command(app)
    words = list(words)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_parser(command.make_context("rapport", words, resilient_parsing=True)).parse_args(words)


# --- Compose -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_only_keys_that_compose_knows_and_points_at_what_there_is(name: str) -> None:
    service = SERVICES[name]
    known = {
        "build", "cap_drop", "command", "depends_on", "env_file", "environment", "expose", "healthcheck",
        "image", "init", "mem_limit", "networks", "ports", "profiles", "restart", "secrets", "security_opt",
        "stop_grace_period", "tmpfs", "volumes",
    }  # fmt: skip
    assert set(service) <= known
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_setting_that_a_service_is_given_is_one_that_we_read(name: str) -> None:
    given = {key for key in environment_of(SERVICES[name]) if key.startswith("RAPPORT_")}
    assert given - known_settings() - OTHERS == set()


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_of_ours_exists(name: str) -> None:
    require_command(OURS[name]["command"])


def test_every_part_runs_and_what_must_not_be_missed_runs_twice() -> None:
    commands = [service["command"] for service in OURS.values()]
    pairs = [pair for command in commands for pair in pairwise(command)]
    parts = [word for flag, word in pairs if flag == "--part"]
    assert set(parts) == set(PARTS)
    assert (parts.count("gateway"), parts.count("rasa")) == (2, 2)


def test_only_the_proxy_faces_the_world() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), f"{name}: {port}"
    assert COMPOSE["networks"]["back"]["internal"] is True
    behind = {name for name, service in SERVICES.items() if service["networks"] == ["back"]}
    assert {"db", "redis", "rasa-1", "rasa-2", "actions"} <= behind


def test_the_gateways_believe_the_network_of_the_proxy_and_no_other() -> None:
    (network,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    for name in ("app-1", "app-2"):
        assert environment_of(SERVICES[name])["RAPPORT_TRUSTED_PROXIES"] == network["subnet"]


def test_rasa_is_told_no_secret_but_its_own() -> None:
    for name in ("rasa-1", "rasa-2"):
        assert set(environment_of(SERVICES[name])) == {
            "RAPPORT_ACTION_SECRET", "RAPPORT_ACTION_URL", "RAPPORT_TRACKER_URL", "RAPPORT_RASA_URL",
        }  # fmt: skip
    urls = environment_of(SERVICES["app-1"])["RAPPORT_RASA_URL"].split(",")
    assert urls == [environment_of(SERVICES[name])["RAPPORT_RASA_URL"] for name in ("rasa-1", "rasa-2")]


def test_our_containers_may_do_nothing_that_they_need_not() -> None:
    for service in OURS.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


# --- images, proxy, monitor, settings ------------------------------------------------------------------


def test_every_target_is_built_as_an_ordinary_user_from_groups_that_there_are() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE, re.MULTILINE))
    assert {service["build"]["target"] for service in OURS.values()} <= stages
    users = re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE)
    assert users[-1] == "rapport"
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for group in re.findall(r"--only-group (\w+)", DOCKERFILE):
        assert re.search(rf"^{group} = \[$", project, re.MULTILINE), group
    for sources in re.findall(r"^COPY (.+) \./$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source


def test_no_secret_and_no_data_can_get_into_an_image_or_into_the_repository() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"var", ".git", "deploy/*.env", "models", ".venv*"} <= set(left_out)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"var/", "deploy/*.env"} <= set(ignored)


def test_a_volume_of_ours_begins_as_a_directory_of_the_ordinary_user() -> None:
    """A volume takes the owner of the directory that it covers, and is root's where there is none."""
    made = re.findall(r"(?:--home-dir|install -d -m 700 -o rapport -g rapport) (\S+)", DOCKERFILE)
    mounted = {volume.split(":")[1] for service in OURS.values() for volume in service.get("volumes", [])}
    assert mounted == set(made)


def test_the_example_sets_every_secret_to_nothing_and_names_only_known_settings() -> None:
    values = example()
    ours = {name for name in values if name.startswith("RAPPORT_")} - OTHERS
    assert ours <= known_settings()
    for name in values:
        if name.endswith(("SECRET", "PASSWORD", "TOKEN")):
            assert values[name] == "", name
    assert {"RAPPORT_SECRET", "RAPPORT_ACTION_SECRET", "RAPPORT_WIDGET_SECRET"} <= set(values)
    assert not re.search(rf"[0-9a-f]{{{SHORTEST_SECRET}}}", EXAMPLE)


def test_the_proxy_reaches_both_gateways_and_shows_nobody_the_metrics() -> None:
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    reached = re.search(r"reverse_proxy (.+) \{", caddy)
    assert reached is not None
    assert reached[1].split() == ["app-1:8080", "app-2:8080"]
    assert re.search(r"path /metrics.*\n\s*respond @\w+ 404", caddy)
    assert caddy.count("{") == caddy.count("}")


def test_the_monitor_reads_both_gateways_with_the_token() -> None:
    monitor = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = monitor["scrape_configs"]
    assert job["job_name"] == "rapport"  # The alerts ask for it by this name.
    assert job["static_configs"][0]["targets"] == ["app-1:8080", "app-2:8080"]
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_token"
    mounted = {volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"]}
    assert set(monitor["rule_files"]) <= mounted


@pytest.mark.parametrize(
    "command",
    re.findall(
        r"(?:/opt/rapport/rapport|as-rapport) (\w.+)$",
        (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    ),
)
def test_every_command_of_the_page_exists(command: str) -> None:
    require_command(shlex.split(command))


# --- systemd -------------------------------------------------------------------------------------------


def lines_of(unit: Path) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    for section in parser.sections():
        yield from parser.items(section)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists_as_an_ordinary_user(unit: Path) -> None:
    values = dict(lines_of(unit))
    if unit.suffix != ".service":
        return
    program, *words = values["ExecStart"].split()
    assert program == "/opt/rapport/rapport"
    require_command(words)
    assert (values["User"], values["NoNewPrivileges"], values["ProtectSystem"]) == (
        "rapport",
        "yes",
        "strict",
    )
    for name in re.findall(r"RAPPORT_[A-Z_]+", unit.read_text(encoding="utf-8")):
        assert name in known_settings(), name


def test_the_target_wants_units_that_there_are() -> None:
    target = (DEPLOY / "systemd" / "rapport.target").read_text(encoding="utf-8")
    names = {unit.name for unit in UNITS}
    for wanted in re.findall(r"rapport-\S+", target):
        assert re.sub(r"@\d+", "@", wanted) in names, wanted
