"""`make test` runs this first: what the tests of pages and of PDFs need and no Python package carries."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"

# They draw a PDF and read its text.
POPPLER = ("pdftoppm", "pdftotext")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# axe-core finds accessibility faults in a page. It is MPL-2.0 and only a test runs it, so it is fetched, not vendored.
AXE_VERSION = "4.14.1"
AXE_SHA512 = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
AXE = CACHE / f"axe-core-{AXE_VERSION}.min.js"


def find_browser() -> str | None:
    """The path of a Chromium or Chrome; `CHROMIUM` names one that is not on the path."""
    named = os.environ.get("CHROMIUM")
    return next((found for name in ((named,) if named else BROWSERS) if (found := shutil.which(name))), None)


def install_browser() -> str | None:
    """What is in the way of a browser, or nothing."""
    if find_browser():
        return None
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return "no browser. Install Chromium (Debian: apt install chromium) or name one: CHROMIUM=/path/to/chrome"
    # fonts-liberation: without any font a page has no width, and every test of a layout would pass.
    if failed := install(apt, "chromium", "fonts-liberation"):
        return f"no browser: {failed}"
    return None if find_browser() else "no browser: the chromium package brought no chromium"


def install(apt: str, *packages: str) -> str | None:
    """Debian packages; what went wrong, or nothing."""
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    for command in ([apt, "-qq", "update"], [apt, "-qq", "install", "-y", "--no-install-recommends", *packages]):
        print(" ".join(command), flush=True)
        if subprocess.run(command, stdin=subprocess.DEVNULL, **quiet).returncode != 0:  # type: ignore[call-overload]
            return f"'{' '.join(command)}' failed"
    return None


def install_poppler() -> str | None:
    """What is in the way of a reader of PDFs that is not ours, or nothing."""
    if all(map(shutil.which, POPPLER)):
        return None
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return f"no {' and '.join(POPPLER)}. Install Poppler (Debian: apt install poppler-utils)"
    if failed := install(apt, "poppler-utils"):
        return f"no Poppler: {failed}"
    return None


def fetch_axe() -> str | None:
    """What is in the way of axe-core, or nothing."""
    if AXE.exists():
        return None
    npm = shutil.which("npm")
    if npm is None:
        return "no axe-core: npm is not installed, and only npm has it"
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        done = subprocess.run(
            [npm, "pack", f"axe-core@{AXE_VERSION}", "--silent"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        archive = next(Path(folder).glob("*.tgz"), None)
        if done.returncode != 0 or archive is None:
            return f"no axe-core: npm pack failed: {done.stderr.strip()[-300:]}"
        if (digest := hashlib.sha512(archive.read_bytes()).hexdigest()) != AXE_SHA512:
            return f"no axe-core: {archive.name} has SHA-512 {digest}, not the expected {AXE_SHA512}"
        with tarfile.open(archive) as files:
            script = files.extractfile("package/axe.min.js")
            assert script is not None
            whole = Path(folder) / "axe.min.js"
            whole.write_bytes(script.read())
        whole.rename(AXE)
    return None


def main() -> None:
    """Prints what is missing; the tests that need it then say so themselves, and fail where CI is set."""
    for what, missing in (("BROWSER", install_browser()), ("BROWSER", fetch_axe()), ("PDF", install_poppler())):
        if missing:
            print(f"\n*** {what} TESTS WILL NOT RUN: {missing} ***\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
