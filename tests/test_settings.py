"""Settings: read once, checked, and refused with what to write instead."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from audittrail.model.errors import ConfigurationError
from audittrail.settings import UNSAFE_SECRET, load


def given(tmp_path: Path, **env: str) -> dict[str, str]:
    return {"AUDITTRAIL_DATA_DIR": str(tmp_path / "data"), **env}


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    settings = load(given(tmp_path))
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/audittrail.db"
    assert not settings.debug
    assert settings.max_body_bytes == 16 << 20


def test_a_secret_key_is_made_once_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    first = load(given(tmp_path)).secret_key
    assert len(first) == 64
    assert load(given(tmp_path)).secret_key == first
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    assert load(given(tmp_path, AUDITTRAIL_SECRET_KEY_FILE=str(tmp_path / "key"))).secret_key == b"k" * 40


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"AUDITTRAIL_SECRET_KEY": UNSAFE_SECRET}, "openssl rand -hex 32"),
        ({"AUDITTRAIL_SECRET_KEY": "short"}, "32 characters"),
        ({"AUDITTRAIL_SECRET_KEY": "k" * 40, "AUDITTRAIL_SECRET_KEY_FILE": "/x"}, "keep one"),
        ({"AUDITTRAIL_SECRET_KEY_FILE": "/does/not/exist"}, "cannot be read"),
        ({"AUDITTRAIL_DEBUG": "maybe"}, "true or false"),
        ({"AUDITTRAIL_BASE_URL": "audittrail.example.org"}, "https://audittrail.example.org"),
        ({"AUDITTRAIL_BASE_URL": "javascript:alert(1)"}, "https://"),
        ({"AUDITTRAIL_INIT_ADMIN_EMAIL": "a@b.c"}, "go together"),
        ({"AUDITTRAIL_INIT_ADMIN_PASSWORD": "x" * 20}, "go together"),
        ({"AUDITTRAIL_INIT_API_KEY": "abc"}, "sk-at-"),
        ({"AUDITTRAIL_INIT_API_KEY": "sk-at-short"}, "32 characters"),
        ({"AUDITTRAIL_MAX_BODY_MB": "0"}, "from 1 to"),
        ({"AUDITTRAIL_MAX_BODY_MB": "a lot"}, "whole number"),
        ({"AUDITTRAIL_MAX_PENDING_MB": "-5"}, "whole number"),
        ({"AUDITTRAIL_RETENTION_DAYS": "-1"}, "from 0 to 36500"),
        ({"AUDITTRAIL_RETENTION_DAYS": "ninety"}, "whole number of days"),
        ({"AUDITTRAIL_RATE_LIMIT": "10"}, "10/s"),
        ({"AUDITTRAIL_RATE_LIMIT": "0/s"}, "10/s"),
        ({"AUDITTRAIL_RATE_LIMIT": "10/day"}, "600/m"),
        ({"AUDITTRAIL_RATE_BURST": "0"}, "from 1 to"),
        ({"AUDITTRAIL_KEY_RATE_LIMIT": "fast"}, "36000/h"),
        ({"AUDITTRAIL_LOG_FORMAT": "xml"}, "line or json"),
        ({"AUDITTRAIL_CORS_ORIGINS": "https://a.example"}, "JSON list"),
        ({"AUDITTRAIL_CORS_ORIGINS": '["*"]'}, "AUDITTRAIL_DEBUG"),
        ({"AUDITTRAIL_CORS_ORIGINS": '["a.example"]'}, "no origin"),
        ({"AUDITTRAIL_CORS_ORIGINS": '["https://a.example/"]'}, "no origin"),
        ({"AUDITTRAIL_CORS_ORIGINS": '["https://a.example", 3]'}, "JSON list"),
        ({"AUDITTRAIL_BASE_URL": "https://a.example/path"}, "without a path"),
        ({"AUDITTRAIL_BASE_URL": "https://a.example?x"}, "without a path"),
        ({"AUDITTRAIL_BASE_URL": "https://user@a.example"}, "https://audittrail.example.org"),
        ({"AUDITTRAIL_BASE_URL": "https://a.example:x"}, "https://audittrail.example.org"),
        ({"AUDITTRAIL_CORS_ORIGINS": '["https://a.example:99999"]'}, "no origin"),
        ({"AUDITTRAIL_TRUSTED_PROXIES": "*"}, "10.0.0.0/8"),
        ({"AUDITTRAIL_TRUSTED_PROXIES": "caddy"}, "no address or network"),
        ({"AUDITTRAIL_TRUSTED_PROXIES": "127.0.0.1,10.0.0.1/8"}, "10.0.0.1/8"),
        ({"AUDITTRAIL_TRUSTED_PROXIES": "127.0.0.1,"}, "no address or network"),
        ({"AUDITTRAIL_DATA_DIR": "/proc/none"}, "AUDITTRAIL_DATA_DIR"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write(tmp_path: Path, env: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(given(tmp_path) | env)
    assert says in str(refused.value)
    assert next(iter(env)).removesuffix("_FILE") in str(refused.value)


def test_limits_and_origins_are_read_in_the_units_people_write(tmp_path: Path) -> None:
    settings = load(
        given(
            tmp_path,
            AUDITTRAIL_RATE_LIMIT="600/m",
            AUDITTRAIL_RATE_BURST="5",
            AUDITTRAIL_KEY_RATE_LIMIT="36000 / h",
            AUDITTRAIL_RETENTION_DAYS="0",
            AUDITTRAIL_CORS_ORIGINS='["https://a.example", "http://b.example:8080"]',
            AUDITTRAIL_LOG_FORMAT="json",
        )
    )
    assert (settings.rate_limit, settings.rate_burst, settings.key_rate_limit) == (10.0, 5, 10.0)
    assert settings.retention_days == 0
    assert settings.cors_origins == ("https://a.example", "http://b.example:8080")
    assert settings.log_json
    usual = load(given(tmp_path))
    assert (usual.rate_limit, usual.rate_burst, usual.key_rate_limit, usual.retention_days) == (10.0, 20, 1000.0, 90)
    assert not usual.log_json and usual.cors_origins == ()


def test_debug_allows_what_production_does_not(tmp_path: Path) -> None:
    assert load(given(tmp_path, AUDITTRAIL_DEBUG="true", AUDITTRAIL_CORS_ORIGINS='["*"]')).cors_origins == ("*",)
    assert load(given(tmp_path, AUDITTRAIL_DEBUG="true", AUDITTRAIL_SECRET_KEY=UNSAFE_SECRET)).debug
