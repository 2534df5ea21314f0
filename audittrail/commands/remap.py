"""audittrail remap"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from audittrail.commands.desk import Desk, at_desk, the_project
from audittrail.model import human
from audittrail.model.activity import COMMAND_LINE
from audittrail.settings import Settings
from audittrail.store import activity, projects

TELL = 1_000  # traces from one line of progress to the next


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints what it did."""
    os.nice(10)  # it has time; whoever sends spans to the server beside it has not
    print(asyncio.run(at_desk(settings, remap, args)))  # noqa: T201
    return 0


async def remap(desk: Desk, args: argparse.Namespace) -> str:
    """Understands all stored spans as this version does."""
    # Imported late: the other commands do without all that it takes to understand a span.
    from audittrail.jobs import remapping

    async with desk.db.read() as conn:
        mine = [await the_project(conn, args.project)] if args.project else await projects.list_projects(conn)
    said = []
    changed = 0
    for project in mine:

        def tell(far: remapping.Remapped, name: str = project.name) -> None:
            if far.looked_at % TELL == 0:
                print(  # noqa: T201
                    f"{name}: {far.looked_at:,} traces, {far.spans:,} spans changed", file=sys.stderr, flush=True
                )

        done = await remapping.remap(desk.db, project.id, tell)
        changed += done.spans
        async with desk.db.write() as conn:
            await activity.note(
                conn,
                desk.now_us(),
                COMMAND_LINE,
                "trace.remapped",
                project_id=project.id,
                traces=done.traces,
                spans=done.spans,
                looked_at=done.looked_at,
            )
        said.append(
            f"{project.name}: looked at {human.plural(done.looked_at, 'trace')};"
            f" {human.plural(done.spans, 'span')} in {human.exact(done.traces)} of them are understood otherwise now."
        )
    if changed:
        await remapping.index_anew(desk.db)
        said.append("The server indexes what they say anew, beginning within a minute; until then search finds less.")
    return "\n".join(said)
