"""audittrail key …"""

from __future__ import annotations

import argparse

from audittrail.commands.desk import Desk, day, table, the_project
from audittrail.identity.accounts import clean_name, name_error
from audittrail.identity.issue import days_error, issue_key, scopes_error
from audittrail.model.account import Key
from audittrail.model.activity import COMMAND_LINE
from audittrail.model.errors import Invalid, NotFound
from audittrail.store import keys


async def create(desk: Desk, args: argparse.Namespace) -> str:
    """Makes a key. Its two parts are printed and nothing else, so that a script can take them."""
    name, scopes = clean_name(args.name), args.scope or ["ingest"]
    if errors := [e for e in (name_error(name, "the key"), scopes_error(scopes), days_error(args.expires_days)) if e]:
        raise Invalid(" ".join(errors))
    async with desk.db.read() as conn:
        project = await the_project(conn, args.project)
    made = await issue_key(
        desk.db,
        desk.keyring,
        project_id=project.id,
        name=name,
        scopes=scopes,
        days=args.expires_days,
        now_us=desk.now_us(),
        by=COMMAND_LINE,
    )
    return f"{made.key.public}\n{made.secret}"


async def show(desk: Desk, args: argparse.Namespace) -> str:
    """A project's keys."""
    async with desk.db.read() as conn:
        project = await the_project(conn, args.project)
        found = await keys.list_keys(conn, project.id)
    now_us = desk.now_us()
    return table(
        ("PUBLIC", "NAME", "SCOPES", "STATE", "LAST USED"),
        ((key.public, key.name, " ".join(key.scopes), _state(key, now_us), day(key.last_used_us)) for key in found),
    )


def _state(key: Key, now_us: int) -> str:
    if key.revoked_us is not None:
        return f"revoked {day(key.revoked_us)}"
    if not key.usable(now_us):
        return f"expired {day(key.expires_us)}"
    return "good" if key.expires_us is None else f"until {day(key.expires_us)}"


async def revoke(desk: Desk, args: argparse.Namespace) -> str:
    """A running server refuses the key from its next request on."""
    async with desk.db.write() as conn:
        key = await keys.find_key(conn, args.public)
        if key is None:
            raise NotFound(f"There is no key {args.public!r}; `audittrail key list --project …` shows them.")
        await keys.revoke_key(conn, key.project_id, key.id, desk.now_us(), by=COMMAND_LINE)
    return f"The key {key.public} ({key.name}) is refused from now on."
