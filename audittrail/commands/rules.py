"""audittrail rules …"""

from __future__ import annotations

import argparse
import sys

from audittrail.constitution import RuleSet, load_folder
from audittrail.settings import Settings, asset_folder


def check(args: argparse.Namespace, _: Settings) -> int:
    """Reads a folder's rules and runs the tests in them; every mistake is a line on standard error."""
    found = load_folder(args.folder or asset_folder("rules"))
    if not isinstance(found, RuleSet):
        print("\n".join(map(str, found)), file=sys.stderr)  # noqa: T201
        return 1
    for rule in found.rules:
        print(f"{rule.id}: {len(rule.tests)} tests hold")  # noqa: T201
    return 0
