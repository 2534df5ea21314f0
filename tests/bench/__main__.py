"""What AuditTrail costs, on this machine, now: `make bench`. The exit status says whether every bar holds.

The load generator and the floor stand beside the checkout, in ../shared/bench.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.attribution import speed as causes
from tests.bench import backup, check, export, ingest, keeping, live, pages, reports, rules, visible, waterfall
from tests.live import ROOT, Server
from tests.privacy import speed

TOOLS = ROOT.parent / "shared" / "bench"
ALL_ON = {"512 spans a POST": 0.20}
# Recording alone, without redaction and rules: what the record itself costs.
RECORDING = {"512 spans a POST": 0.35, "one trace a POST": 0.15}


def redaction() -> bool:
    """Prints what it costs."""
    cost = speed.measure()
    print(
        f"redaction: {cost.span_us:.0f} µs a span of 5 KB (at most {speed.SPAN_US}); a hostile megabyte takes"
        f" {cost.hostile_ms:.0f} ms ({cost.hostile}; at most {speed.HOSTILE_MS}) and stalls the event loop for"
        f" {cost.stall_ms:.0f} ms ({cost.stall}; at most {speed.STALL_MS})"
    )
    return cost.span_us <= speed.SPAN_US and cost.hostile_ms <= speed.HOSTILE_MS and cost.stall_ms <= speed.STALL_MS


def run(rounds: int, spans: int, folder: Path) -> int:
    """Prints all figures."""
    (folder / "no-rules").mkdir()
    alone = {"AUDITTRAIL_PII_REDACTION_ENABLED": "false", "AUDITTRAIL_RULES_DIR": str(folder / "no-rules")}
    ok, rate = ingest.run(
        "redaction, six rules, search", Server(folder / "all"), ALL_ON, rounds, spans, folder, latency=False
    )
    ok &= check.run(Server(folder / "check"), rate)
    ok &= live.run(Server(folder / "live"), rounds, spans)
    ok &= keeping.run(Server(folder / "keeping"))
    ok &= visible.run(Server(folder / "visible"))
    ok &= rules.run()
    ok &= redaction()
    ok &= waterfall.run()
    ok &= causes.run()
    ok &= pages.run(Server(folder / "pages"))
    ok &= reports.run(Server(folder / "reports"), rounds, spans)
    ok &= backup.run(Server(folder / "backup"), folder)
    ok &= export.run(Server(folder / "export"))
    ok &= ingest.run(
        "recording alone", Server(folder / "alone", **alone), RECORDING, rounds, spans, folder, latency=True
    )[0]
    print("every bar holds" if ok else "A BAR DOES NOT HOLD")
    return 0 if ok else 1


def main() -> int:
    """The command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--spans", type=int, default=20_480)
    asked = ask.parse_args()
    if not TOOLS.is_dir():
        print(
            f"The load generator is not there: {TOOLS.relative_to(ROOT.parent)} beside the checkout.", file=sys.stderr
        )
        return 2
    sys.path.insert(0, str(TOOLS))
    folder = Path(tempfile.mkdtemp(prefix="audittrail-bench-"))
    try:
        return run(asked.rounds, asked.spans, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
