"""`python -m audittrail.report.pdf DOCUMENT.json OUT.pdf`: draws in a process of its own, without the server's imports.

Prints a line of JSON for each hundredth that is done, `{"done": 120, "total": 300}`, and at the end `{"pages": 12}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from audittrail.report.document import Document
from audittrail.report.pdf import draw

_USAGE = "usage: python -m audittrail.report.pdf DOCUMENT.json OUT.pdf"


def _say(**what: int) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """The process's answer: 0 when the PDF is there, 2 when it was asked wrongly or the document is none."""
    if len(arguments) != 2:
        sys.stderr.write(_USAGE + "\n")
        return 2
    here, there = map(Path, arguments)
    try:
        document = msgspec.json.decode(here.read_bytes(), type=Document)
    except (OSError, msgspec.DecodeError) as error:
        sys.stderr.write(f"{here}: {error}\n")
        return 2
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done * 100 // total > told:
            told = done * 100 // total
            _say(done=done, total=total)

    _say(pages=draw(document, there, progress))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
