"""Everything the environment may say, read once at start. The only door to `os.environ`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from audittrail.model.errors import ConfigurationError
from audittrail.model.setting import Setting, boolean, is_origin, mebibytes, networks, one_of, origins, rate, whole

UNSAFE_SECRET = "dev-secret-key-change-in-production"  # noqa: S105 - the value that is refused
# In a wheel the program's data stands inside the package, in a checkout beside it.
_PACKAGE = Path(__file__).resolve().parent


def asset_folder(name: str) -> Path:
    """Where templates, static, rules or migrations are. Raises ConfigurationError when the installation lacks them."""
    for folder in (_PACKAGE / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigurationError(f"The installation has no {name} folder; install AuditTrail again.")


SETTINGS = (
    Setting(
        "AUDITTRAIL_SECRET_KEY",
        "made and kept in the data folder",
        "Keys what is hashed here, at least 32 characters; with another one, all API keys are void.",
        True,
    ),
    Setting(
        "DATABASE_URL",
        "sqlite+aiosqlite:///data/audittrail.db",
        "The database; postgresql+asyncpg://user:password@host/name for PostgreSQL.",
        True,
    ),
    Setting("AUDITTRAIL_DATA_DIR", "data", "Where AuditTrail keeps its own files."),
    Setting(
        "AUDITTRAIL_BASE_URL",
        "the address served on",
        "The address people and agents use; links and cookies are made for it.",
    ),
    Setting(
        "AUDITTRAIL_RULES_DIR",
        "the six rules that come with AuditTrail",
        "The folder of rule files; a change in it takes effect within seconds.",
    ),
    Setting(
        "AUDITTRAIL_PII_REDACTION_ENABLED",
        "true",
        "Personal data and secrets are taken out before anything is stored. When off, every page says so.",
    ),
    Setting(
        "AUDITTRAIL_RETENTION_DAYS",
        "90",
        "Traces are deleted for good so many days after they last changed; 0 keeps them for ever.",
    ),
    Setting(
        "AUDITTRAIL_CORS_ORIGINS",
        "[]",
        "Other sites whose pages may call the API, as a JSON list of their origins.",
    ),
    Setting(
        "AUDITTRAIL_RATE_LIMIT", "10/s", "Requests from one address without a key or a session, per s, m (minute) or h."
    ),
    Setting("AUDITTRAIL_RATE_BURST", "20", "How many of them may come at once."),
    Setting(
        "AUDITTRAIL_KEY_RATE_LIMIT", "1000/s", "Requests with one API key, of which a second's worth may come at once."
    ),
    Setting("AUDITTRAIL_LOG_FORMAT", "line", "line for people, json for programs: one object a line."),
    Setting("AUDITTRAIL_DEBUG", "false", "Verbose errors in answers. Never in production."),
    Setting(
        "AUDITTRAIL_TRUSTED_PROXIES",
        "127.0.0.1",
        "Addresses or networks whose X-Forwarded-For and -Proto are believed, with commas.",
    ),
    Setting("AUDITTRAIL_INIT_ADMIN_EMAIL", "", "Makes the first account at start, when there is none."),
    Setting("AUDITTRAIL_INIT_ADMIN_PASSWORD", "", "Its password: at least 12 characters.", True),
    Setting("AUDITTRAIL_INIT_PROJECT", "default", "The first project's name, made with the first account."),
    Setting(
        "AUDITTRAIL_INIT_API_KEY",
        "",
        "A whole sk-at-… secret with all scopes for that project, made once when absent.",
        True,
    ),
    Setting(
        "AUDITTRAIL_MAX_BODY_MB", "16", "The largest request body as sent, in MiB; four times that after decompression."
    ),
    Setting(
        "AUDITTRAIL_MAX_PENDING_MB", "128", "Bytes of spans that may wait for the writer before ingest answers 503."
    ),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, checked."""

    secret_key: bytes
    database_url: str
    data_dir: Path
    base_url: str  # without a slash at its end; "" until the server knows its address
    rules_dir: Path | None = None  # None: the rules that come with AuditTrail
    redaction: bool = True
    retention_days: int = 90  # 0: nothing is deleted for its age
    cors_origins: tuple[str, ...] = ()
    rate_limit: float = 10.0  # a second, of one address without a key or a session
    rate_burst: int = 20
    key_rate_limit: float = 1000.0  # a second, of one key
    log_json: bool = False
    debug: bool = False
    trusted_proxies: str = "127.0.0.1"
    init_admin_email: str = ""
    init_admin_password: str = ""
    init_project: str = "default"
    init_api_key: str = ""
    max_body_bytes: int = 16 << 20
    max_pending_bytes: int = 128 << 20

    @property
    def secure_cookies(self) -> bool:
        """Whether people reach the server over TLS."""
        return self.base_url.startswith("https://")


def _read(env: Mapping[str, str]) -> dict[str, str]:
    """Every setting's text, from NAME or, for secrets, from the file that NAME_FILE names."""
    found: dict[str, str] = {}
    for setting in SETTINGS:
        value = env.get(setting.name, "").strip()
        from_file = env.get(setting.name + "_FILE", "").strip() if setting.secret else ""
        if value and from_file:
            raise ConfigurationError(f"{setting.name} and {setting.name}_FILE are both set; keep one.")
        if from_file:
            try:
                value = Path(from_file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(
                    f"{setting.name}_FILE names {from_file}, which cannot be read: {error}."
                ) from None
        found[setting.name] = value
    return found


def _secret_key(text: str, data_dir: Path, debug: bool, new_key: bool) -> bytes:
    if text == UNSAFE_SECRET and not debug:
        raise ConfigurationError(
            "AUDITTRAIL_SECRET_KEY is the value from the documentation, which everybody knows. Set one made by "
            "`openssl rand -hex 32`, or leave it out: AuditTrail then makes its own and keeps it in the data folder."
        )
    if text:
        if len(text) < 32 and not debug:
            raise ConfigurationError(
                "AUDITTRAIL_SECRET_KEY is shorter than 32 characters. Make one with `openssl rand -hex 32`."
            )
        return text.encode()
    path = data_dir / "secret.key"
    try:
        if not path.exists():
            if not new_key:
                return b""
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_hex(32))
    except FileExistsError:
        pass  # another process was quicker
    except OSError as error:
        raise _unusable(data_dir, error) from None
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}. Restore it, or make it readable for this user."
        ) from None
    if len(key) < 32:
        raise ConfigurationError(
            f"{path} is cut short: it has {len(key)} characters. Restore it from a backup; without one, delete it, and "
            "AuditTrail makes another: people then sign in again, and agents need new keys."
        )
    return key.encode()


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(data_dir, error) from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise _unusable(data_dir, PermissionError(0, "it is not writable"))


def _unusable(data_dir: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The data folder {data_dir} cannot be used: {error.strerror}. Make it writable for this user, or name "
        "another in AUDITTRAIL_DATA_DIR."
    )


def _rules_dir(text: str) -> Path | None:
    if text and not Path(text).is_dir():
        raise ConfigurationError(
            f"AUDITTRAIL_RULES_DIR is {text!r}, which is no folder. Make it, or leave the setting out for the rules "
            "that come with AuditTrail."
        )
    return Path(text) if text else None


def load(env: Mapping[str, str] | None = None, *, new_key: bool = True) -> Settings:
    """The settings of the environment. Raises ConfigurationError with what is wrong and what to write instead.

    Where no secret key is, one is made and kept; without `new_key` it stays empty and nothing is written.
    """
    text = _read(os.environ if env is None else env)
    debug = boolean("AUDITTRAIL_DEBUG", text["AUDITTRAIL_DEBUG"], False)
    data_dir = Path(text["AUDITTRAIL_DATA_DIR"] or "data")
    base_url = text["AUDITTRAIL_BASE_URL"].rstrip("/")
    if base_url and not is_origin(base_url):
        raise ConfigurationError(
            f"AUDITTRAIL_BASE_URL is {base_url!r}; write it like https://audittrail.example.org, with a port where it "
            "is not the usual one, and without a path."
        )
    email, password = text["AUDITTRAIL_INIT_ADMIN_EMAIL"], text["AUDITTRAIL_INIT_ADMIN_PASSWORD"]
    if bool(email) != bool(password):
        raise ConfigurationError(
            "AUDITTRAIL_INIT_ADMIN_EMAIL and AUDITTRAIL_INIT_ADMIN_PASSWORD go together; one of them is missing."
        )
    key = text["AUDITTRAIL_INIT_API_KEY"]
    if key and (
        not key.startswith("sk-at-") or len(key) < 38 or not key.isascii() or not key.isprintable() or " " in key
    ):
        raise ConfigurationError(
            "AUDITTRAIL_INIT_API_KEY is not a key: it starts with sk-at- and has at least 32 characters after it."
        )
    values: dict[str, Any] = {
        "database_url": text["DATABASE_URL"] or f"sqlite+aiosqlite:///{data_dir / 'audittrail.db'}",
        "data_dir": data_dir,
        "base_url": base_url,
        "rules_dir": _rules_dir(text["AUDITTRAIL_RULES_DIR"]),
        "redaction": boolean("AUDITTRAIL_PII_REDACTION_ENABLED", text["AUDITTRAIL_PII_REDACTION_ENABLED"], True),
        "retention_days": whole(
            "AUDITTRAIL_RETENTION_DAYS", text["AUDITTRAIL_RETENTION_DAYS"], 90, 0, 36_500, " of days"
        ),
        "cors_origins": origins("AUDITTRAIL_CORS_ORIGINS", text["AUDITTRAIL_CORS_ORIGINS"], debug),
        "rate_limit": rate("AUDITTRAIL_RATE_LIMIT", text["AUDITTRAIL_RATE_LIMIT"], 10.0),
        "rate_burst": whole("AUDITTRAIL_RATE_BURST", text["AUDITTRAIL_RATE_BURST"], 20, 1, 1_000_000),
        "key_rate_limit": rate("AUDITTRAIL_KEY_RATE_LIMIT", text["AUDITTRAIL_KEY_RATE_LIMIT"], 1000.0),
        "log_json": one_of("AUDITTRAIL_LOG_FORMAT", text["AUDITTRAIL_LOG_FORMAT"], ("line", "json")) == "json",
        "debug": debug,
        "trusted_proxies": networks("AUDITTRAIL_TRUSTED_PROXIES", text["AUDITTRAIL_TRUSTED_PROXIES"], "127.0.0.1"),
        "init_admin_email": email,
        "init_admin_password": password,
        "init_project": text["AUDITTRAIL_INIT_PROJECT"] or "default",
        "init_api_key": key,
        "max_body_bytes": mebibytes("AUDITTRAIL_MAX_BODY_MB", text["AUDITTRAIL_MAX_BODY_MB"], 16, 1024),
        "max_pending_bytes": mebibytes("AUDITTRAIL_MAX_PENDING_MB", text["AUDITTRAIL_MAX_PENDING_MB"], 128, 16384),
    }
    if new_key:
        _make(data_dir)
    return Settings(secret_key=_secret_key(text["AUDITTRAIL_SECRET_KEY"], data_dir, debug, new_key), **values)
