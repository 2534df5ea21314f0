"""audittrail project …"""

from __future__ import annotations

import argparse

from audittrail.commands.desk import Desk, day, table, the_user
from audittrail.identity.accounts import clean_email, clean_name, name_error
from audittrail.identity.membership import make_project
from audittrail.model.activity import COMMAND_LINE
from audittrail.model.errors import Invalid
from audittrail.store import projects


async def add(desk: Desk, args: argparse.Namespace) -> str:
    """Makes a project, and its owner a member."""
    name = clean_name(args.name)
    if error := name_error(name, "the project"):
        raise Invalid(error)
    async with desk.db.write() as conn:
        owner = await the_user(conn, clean_email(args.owner)) if args.owner else None
        project = await make_project(conn, name, owner, desk.now_us(), by=COMMAND_LINE)
    return f"Made the project {project.name}" + (f", owned by {owner.email}." if owner else ". It has no members yet.")


async def show(desk: Desk, _: argparse.Namespace) -> str:
    """All projects."""
    async with desk.db.read() as conn:
        found = await projects.list_projects(conn)
    return table(("NAME", "SINCE"), ((project.name, day(project.created_us)) for project in found))
