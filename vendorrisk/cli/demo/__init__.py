"""`python -m vendorrisk demo`: the whole service with made-up vendors, in a folder of its own, on this machine only."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vendorrisk.cli.demo import seed
from vendorrisk.cli.output import OK, say
from vendorrisk.library import shipped
from vendorrisk.services.operating import opening
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

FOLDER = Path("var/demo")
_NOTES = "demo.json"


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("demo", help="run the service with made-up vendors and letters kept on this machine")
    parser.add_argument("--fresh", action="store_true", help="throw the demonstration's data away and make it anew")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the demonstration's data where there is none, then serve until stopped."""
    settings = Settings.from_env(environ(options.environ, FOLDER))
    if options.fresh or not (FOLDER / _NOTES).exists():
        say("Making the demonstration's data …")
        make(settings, FOLDER, now=datetime.now(UTC))
    notes = json.loads((FOLDER / _NOTES).read_text(encoding="utf-8"))

    def ready(_runtime: Runtime) -> None:
        say(*greeting(settings, notes, now=datetime.now(UTC)))

    options.serve(settings, ready)
    return OK


def environ(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of the demonstration: throw-away data, letters into files. Only the port can be chosen."""
    port = given.get("VENDORRISK_PORT", "8000")
    return {
        "VENDORRISK_DEMO": "1",
        "VENDORRISK_DATABASE": f"sqlite:///{folder}/vendorrisk.sqlite",
        "VENDORRISK_KEY_FILE": str(folder / "master.key"),
        "VENDORRISK_STORAGE": str(folder / "files"),
        "VENDORRISK_MAIL": f"file:{folder}/mail",
        "VENDORRISK_MAIL_FROM": "questionnaires@acme.example",
        "VENDORRISK_ORGANISATION": "Acme Ltd",
        "VENDORRISK_LOG": given.get("VENDORRISK_LOG", "warning"),
        "VENDORRISK_HOST": "127.0.0.1",
        "VENDORRISK_PORT": port,
        "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}",
    }


def make(settings: Settings, folder: Path, *, now: datetime) -> None:
    """Throw away what is there, and fill a new database. A half-made one is never taken for a whole one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    library = shipped.load()
    runtime = Runtime(settings, opening.database(settings), library, library.rules, open_storage(settings.storage))
    notes = seed.fill(runtime, now=now)
    (folder / _NOTES).write_text(json.dumps({**notes, "made_at": now.isoformat()}), encoding="utf-8")


def greeting(settings: Settings, notes: Mapping[str, Any], *, now: datetime) -> list[str]:
    """What the demonstration says when it is ready."""
    days = (now - datetime.fromisoformat(notes["made_at"])).days
    age = "made today" if days == 0 else f"made {days} days ago; make run ARGS=--fresh makes it anew"
    base = settings.base_url
    return [
        "",
        f"Demo ready (made up, but for the Clearview AI case from public facts; {age})",
        f"  Staff      {base}/          petra@acme.example / demo   (adam@ administers, audrey@ audits: same password)",
        f"             the second step shows its code (your own app: key {seed.APP_SECRET});",
        f"             one click on the sign-in page skips both; passkeys need http://localhost:{settings.port}",
        f"  Vendor     {base}{urlsplit(notes['vendor_link']).path}",
        f"             {notes['vendor']}: no account needed; the code is in the mailbox",
        f"  Mailbox    {base}/dev/mail  every letter that the service wrote",
        "  Try:  1  open the vendor's link, answer three questions and send",
        "        2  as petra, review Blue Heron's answers and decide",
        "        3  as audrey, download the report on Clearview AI",
        "Next: python -m vendorrisk questionnaire lint questionnaires/data-sourcing.yaml     Stop: Ctrl-C",
        "",
    ]
