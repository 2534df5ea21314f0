"""What a new installation gets from its environment at the first start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audittrail.identity.accounts import NewAccount, clean_name, make_first, name_error
from audittrail.identity.issue import note_key
from audittrail.identity.keys import derived_public
from audittrail.identity.membership import make_project
from audittrail.identity.tokens import setup_token
from audittrail.model.account import SCOPES
from audittrail.model.activity import SYSTEM
from audittrail.model.errors import ConfigurationError
from audittrail.settings import Settings
from audittrail.store import keys, projects, users

if TYPE_CHECKING:
    from audittrail.runtime import Runtime


async def bootstrap(runtime: Runtime) -> str | None:
    """Makes the account, project and key that AUDITTRAIL_INIT_* name where they are absent, in one transaction.

    Returns the sentence with the setup link while there is no account. Raises ConfigurationError for values that cannot
    be used.
    """
    settings, now_us = runtime.settings, runtime.now_us()
    public = derived_public(settings.secret_key, settings.init_api_key) if settings.init_api_key else ""
    async with runtime.db.read() as conn:
        has_users = await users.has_users(conn)
        has_key = not public or await keys.find_key(conn, public) is not None
    wanted = _first_account(settings) if settings.init_admin_email and not has_users else None
    if wanted or not has_key:
        project_name = _project_name(settings)
        # Argon2 takes its time: before the transaction, not in it.
        password_hash = await runtime.passwords.hash(wanted.password) if wanted else ""
        minted = None if has_key else await runtime.keyring.mint(settings.init_api_key)
        async with runtime.db.write() as conn:
            # The lock, and all is asked again: another replica may have done it meanwhile.
            first = await users.lock_first_user(conn)
            if wanted and first:
                await make_first(conn, wanted, password_hash, project_name, now_us, by=SYSTEM)
                has_users = True
            # A key that was made once and then revoked is not absent: it stays revoked.
            if minted and await keys.find_key(conn, minted.public) is None:
                project = await projects.find_project(conn, project_name)
                if project is None:
                    project = await make_project(conn, project_name, None, now_us, by=SYSTEM)
                key = await keys.add_key(
                    conn,
                    project_id=project.id,
                    public=minted.public,
                    lookup=minted.lookup,
                    secret_hash=minted.secret_hash,
                    name="AUDITTRAIL_INIT_API_KEY",
                    scopes=SCOPES,
                    now_us=now_us,
                )
                await note_key(conn, key, SYSTEM)
            has_users = has_users or not first
    if has_users:
        return None
    token = setup_token(settings.secret_key)
    return f"There is no account yet. Make the first one at {settings.base_url}/setup?token={token}"


def _first_account(settings: Settings) -> NewAccount:
    wanted = NewAccount.typed(settings.init_admin_email, "", settings.init_admin_password)
    errors = wanted.errors()
    if "password" in errors:
        raise ConfigurationError(f"AUDITTRAIL_INIT_ADMIN_PASSWORD cannot be used. {errors['password']}")
    if errors:
        raise ConfigurationError(f"AUDITTRAIL_INIT_ADMIN_EMAIL cannot be used. {' '.join(errors.values())}")
    return wanted


def _project_name(settings: Settings) -> str:
    name = clean_name(settings.init_project)
    if error := name_error(name, "the project"):
        raise ConfigurationError(f"AUDITTRAIL_INIT_PROJECT cannot be used. {error}")
    return name
