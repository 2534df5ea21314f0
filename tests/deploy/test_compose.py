"""What compose.yaml promises: two containers, one way in, nothing writable that need not be."""

from __future__ import annotations

import re

import pytest
import yaml

from audittrail.settings import SETTINGS
from tests.live import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
APP, CADDY = COMPOSE["services"]["app"], COMPOSE["services"]["caddy"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


def test_there_are_two_services():
    assert set(COMPOSE["services"]) == {"app", "caddy"}


def test_only_caddy_publishes_ports():
    assert "ports" not in APP
    assert CADDY["ports"] == ["80:80", "443:443", "443:443/udp"]


def test_data_is_a_named_volume_and_rules_are_read_only():
    assert "data:/app/data" in APP["volumes"] and "data" in COMPOSE["volumes"]
    assert "./rules:/app/rules:ro" in APP["volumes"]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in CADDY["volumes"]


def test_health_is_asked_every_30_seconds_with_what_the_image_has():
    check = APP["healthcheck"]
    assert check["interval"] == "30s"
    assert check["test"][:2] == ["CMD", "python"]
    assert "http://127.0.0.1:8000/api/v1/health" in check["test"][-1]
    assert CADDY["depends_on"] == {"app": {"condition": "service_healthy"}}


@pytest.mark.parametrize("service", [APP, CADDY], ids=["app", "caddy"])
def test_a_container_can_do_no_more_than_it_must(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) in ([], ["NET_BIND_SERVICE"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"


def test_the_image_does_not_run_as_root():
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    uid = re.search(r"^USER (\d+):\d+$", last_stage, re.MULTILINE)
    assert uid and int(uid[1]) > 0
    assert f"--uid {uid[1]} " in last_stage
    assert "--mode=0700 /app/data" in last_stage


def test_every_setting_stands_in_the_example_and_nothing_else():
    text = (ROOT / "deploy/env.example").read_text()
    written = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    # These two are Caddy's.
    assert written == {setting.name for setting in SETTINGS} | {"AUDITTRAIL_DOMAIN", "AUDITTRAIL_TLS"}


def test_what_compose_and_caddy_are_told_stands_in_the_example():
    known = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / "deploy/env.example").read_text(), re.MULTILINE))
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    assert asked <= known
    given = set(CADDY["environment"])
    # Only tests move Caddy's ports and its upstream.
    ours = {"AUDITTRAIL_HTTP_PORT", "AUDITTRAIL_HTTPS_PORT", "AUDITTRAIL_UPSTREAM"}
    assert set(re.findall(r"\{\$(\w+)", (ROOT / "Caddyfile").read_text())) == given | ours
