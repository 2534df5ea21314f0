"""audittrail redact …"""

from __future__ import annotations

import argparse
import secrets
import sys

from audittrail.privacy.redactor import Counts, Redactor
from audittrail.privacy.scrubber import Scrubber
from audittrail.settings import Settings


def show(args: argparse.Namespace, _: Settings) -> int:
    """Prints a text as AuditTrail would keep it, and on standard error what was taken out.

    The key is drawn for this run: the marks differ from the server's and from the next run's, since whoever had the
    server's marks for values of their choice could find out whose they are.
    """
    try:
        data = args.file.read_bytes() if args.file else sys.stdin.buffer.read()
    except OSError as error:
        print(f"audittrail redact: {args.file}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    redactor = Redactor(secrets.token_bytes(32))
    kept, counts = Scrubber(redactor).clean(data.decode("utf-8", "replace"))
    sys.stdout.buffer.write(kept.encode())  # as it came: UTF-8, whatever the terminal speaks, and no line added
    sys.stdout.buffer.flush()
    print(_summary(counts), file=sys.stderr)  # noqa: T201
    return 0


def _summary(counts: Counts) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in sorted(counts.items())) or "nothing found"
