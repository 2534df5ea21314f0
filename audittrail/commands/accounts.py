"""audittrail user …"""

from __future__ import annotations

import argparse

from audittrail.commands.desk import Desk, day, read_password, table, the_project, the_user
from audittrail.identity.accounts import NewAccount, clean_email, make_account
from audittrail.identity.membership import add_member
from audittrail.identity.passwords import check_strength
from audittrail.model.account import InstanceRole
from audittrail.model.activity import COMMAND_LINE
from audittrail.model.errors import Invalid
from audittrail.store import activity, sessions, users


async def add(desk: Desk, args: argparse.Namespace) -> str:
    """Makes an account, and a membership where one is asked for."""
    new = NewAccount.typed(args.email, args.name, read_password(args.password_stdin))
    new.check()
    password_hash = await desk.passwords.hash(new.password)
    async with desk.db.write() as conn:
        project = await the_project(conn, args.project) if args.project else None
        now_us = desk.now_us()
        role: InstanceRole = "admin" if args.admin else "member"
        user = await make_account(conn, new, password_hash, role, now_us, by=COMMAND_LINE)
        if project is not None:
            await add_member(conn, project.id, user, args.role, now_us, by=COMMAND_LINE)
    where = f", {args.role} of {project.name}" if project is not None else ""
    return f"Made the account {user.email} ({user.role}{where})."


async def set_password(desk: Desk, args: argparse.Namespace) -> str:
    """For someone who has forgotten theirs."""
    email, password = clean_email(args.email), read_password(args.password_stdin)
    if error := check_strength(password, email):
        raise Invalid(error)
    password_hash = await desk.passwords.hash(password)
    async with desk.db.write() as conn:
        user = await the_user(conn, email)
        await users.set_password_hash(conn, user.id, password_hash)
        ended = await sessions.end_other_sessions(conn, user.id, keep="")
        await activity.note(
            conn, desk.now_us(), COMMAND_LINE, "account.password_changed", user.email, sessions_ended=ended
        )
    return f"{user.email} has a new password; sessions ended: {ended}."


async def show(desk: Desk, _: argparse.Namespace) -> str:
    """All accounts."""
    async with desk.db.read() as conn:
        found = await users.list_users(conn)
    return table(
        ("EMAIL", "NAME", "ROLE", "SINCE"),
        ((user.email, user.display_name, user.role, day(user.created_us)) for user in found),
    )
