"""The team's compose file: no default secrets, everything checked for health, nothing published but Argilla."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy"
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REQUIRED = set(re.findall(r"(?<!\$)\$\{([A-Z_]+):\?", TEXT))
OPTIONAL = dict(re.findall(r"(?<!\$)\$\{([A-Z_]+):-([^}]*)\}", TEXT))
KEYS = {"image", "restart", "environment", "networks", "logging", "healthcheck", "ports", "volumes", "depends_on"}
KEYS |= {"command", "ulimits"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_restarted_checked_and_of_known_keys(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= KEYS
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?", service["image"])
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL") and {"interval", "timeout", "retries"} <= set(check)
    assert all(value is not None and not isinstance(value, bool) for value in service["environment"].values())


def test_volumes_networks_and_dependencies_exist() -> None:
    for service in SERVICES.values():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES and wait == {"condition": "service_healthy"}
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_only_argilla_is_published_and_on_this_machine_by_default() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["argilla"]
    assert SERVICES["argilla"]["ports"] == ["${BIND_ADDRESS:-127.0.0.1}:${PORT:-6900}:6900"]
    assert [name for name in ("postgres", "elasticsearch", "redis") if "outside" in SERVICES[name]["networks"]] == []


def test_every_secret_is_required_and_none_is_written_down() -> None:
    secret = re.compile(r"(PASSWORD|SECRET_KEY|API_KEY)$")
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            if secret.search(key):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?set it in \.env\}", str(value)), key
    assert not [name for name in OPTIONAL if secret.search(name)]
    assert not re.search(r"argilla\.apikey|12345678|:1234\b", TEXT)


def test_the_example_names_every_value_and_leaves_the_required_ones_empty() -> None:
    lines = (FOLDER / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(example) == REQUIRED | set(OPTIONAL)
    assert all(example[name] == "" for name in REQUIRED)
    assert {name: example[name] for name in OPTIONAL} == OPTIONAL


def test_argilla_and_its_worker_share_database_queue_search_and_no_telemetry() -> None:
    argilla, worker = SERVICES["argilla"]["environment"], SERVICES["worker"]["environment"]
    assert set(argilla) - set(worker) == {"USERNAME", "PASSWORD", "API_KEY", "WORKSPACE"}
    assert worker.items() <= argilla.items()
    assert argilla["ARGILLA_DATABASE_URL"].startswith("postgresql+asyncpg://")
    assert argilla["HF_HUB_DISABLE_TELEMETRY"] == "1"
