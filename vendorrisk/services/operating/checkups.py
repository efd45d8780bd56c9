"""What `doctor` looks at, a function for each: it takes a Deployment and returns a Finding, and changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from vendorrisk.antivirus import Unavailable, open_scanner
from vendorrisk.db import engine
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Letter, Report, User, Vendor
from vendorrisk.domain.assessment import WorkState
from vendorrisk.mail.transports import NotNow, Refused, open_transport
from vendorrisk.reports import pdf
from vendorrisk.reports.pdf import RenderFailed
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, sealing, trail_checks
from vendorrisk.services.operating import backup_keys, health, keys, upgrading
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.operating.health import Finding, State
from vendorrisk.services.operating.keys import BadKey
from vendorrisk.settings import BadSettings, Settings
from vendorrisk.storage import BadStorage, open_storage

LITTLE_ROOM = 500 * 1024 * 1024
_CLOCKS_MAY_DIFFER = timedelta(seconds=30)
_LONG_TRAIL = 200_000
"""More events than that are left to `trail verify`: a look at everything should take seconds."""
_VERIFIED_WITHIN = timedelta(days=31)
_COPY_KEPT = timedelta(days=30)
_PING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is examined. `database` is None where it cannot be opened, and the checks that need it are left out."""

    settings: Settings
    database: Database | None
    now: datetime


Look = Callable[[Deployment], Finding]


def key_file(deployment: Deployment) -> Finding:
    """The key file is a key that only its owner can read."""
    path = deployment.settings.key_file
    try:
        keys.load(path)
    except BadKey as error:
        return Finding(State.STOP, str(error), "Put the key file back, or make it yours alone: chmod 600")
    return Finding(State.OK, f"{path} is a key that only its owner can read.")


def reached(deployment: Deployment) -> Finding:
    """The database answers, at the schema of this version."""
    settings = deployment.settings
    file = upgrading.sqlite_file(settings.database)
    if file is not None and not file.exists():
        return Finding(State.STOP, f"There is no database at {file}.", "python -m vendorrisk setup")
    made = engine.make_engine(settings.database)
    try:
        with Session(made) as session:
            return health.schema_fits(session)
    except DBAPIError as error:
        words = " ".join(str(error.orig).split())
        return Finding(
            State.STOP, f"The database does not answer: {words[:200]}", "Start it, or put its address right."
        )
    finally:
        made.dispose()


def key_fits(deployment: Deployment) -> Finding:
    """The key opens the database."""
    assert deployment.database is not None
    return health.key_fits(deployment.database)


def durable(deployment: Deployment) -> Finding:
    """What is saved is on the disk."""
    assert deployment.database is not None
    with deployment.database.reading() as session:
        if deployment.database.is_sqlite:
            found = {name: str(session.scalar(text(f"PRAGMA {name}"))) for name in ("journal_mode", "synchronous")}
            wanted = {"journal_mode": "wal", "synchronous": "2"}
        else:
            names = ("synchronous_commit", "fsync", "full_page_writes")
            found = {name: str(session.scalar(text(f"SHOW {name}"))) for name in names}
            wanted = dict.fromkeys(names, "on")
    wrong = [f"{name} is {found[name]}, not {value}" for name, value in wanted.items() if found[name] != value]
    if wrong:
        remedy = "Set it right in the database server: what is saved could be lost with the power."
        return Finding(State.STOP, f"{'; '.join(wrong)}.", remedy)
    return Finding(State.OK, f"What is saved is on disk ({', '.join(f'{n} {v}' for n, v in found.items())}).")


def sound(deployment: Deployment) -> Finding:
    """The database file is not damaged."""
    assert deployment.database is not None
    if not deployment.database.is_sqlite:
        return Finding(State.OK, "PostgreSQL looks after its own pages.")
    with deployment.database.reading() as session:
        said = str(session.scalar(text("PRAGMA quick_check(1)")))
    if said != "ok":
        return Finding(State.STOP, f"The database file is damaged: {said[:200]}", "Restore the newest backup.")
    return Finding(State.OK, "The database file is sound.")


def trail(deployment: Deployment) -> Finding:
    """The trail is as it was written, or was when it was last verified."""
    assert deployment.database is not None
    with deployment.database.reading() as session:
        head = sealing.head(session)
        if head is not None and head.position > _LONG_TRAIL:
            return _long_trail(session, head.position, now=deployment.now)
    return whole_trail(deployment)


def whole_trail(deployment: Deployment) -> Finding:
    """The trail is as it was written, however long it is."""
    assert deployment.database is not None
    # The anchor before the database: the chain of a running service goes on meanwhile.
    beside = trail_checks.anchored(anchor.path_of(deployment.settings), audit.keyed(deployment.database.master))
    with deployment.database.reading() as session:
        outcome = trail_checks.of_database(session, beside, (), lambda finding: None)
    if not outcome.is_whole:
        words = f"The trail is not as it was written: {outcome.problems:,} findings."
        return Finding(State.STOP, words, "python -m vendorrisk trail verify: see docs/how-to/verify-the-trail.md.")
    waiting = f", {outcome.unsealed:,} more not yet sealed" if outcome.unsealed else ""
    return Finding(State.OK, f"The trail is as it was written: {outcome.sealed:,} events{waiting}.")


def _long_trail(session: Session, events: int, *, now: datetime) -> Finding:
    """What the latest `trail verify` has found."""
    past = trail_checks.latest(session, now=now)
    if past is None or now - past.at > _VERIFIED_WITHIN:
        words = f"The trail has {events:,} events, and was not verified within {_VERIFIED_WITHIN.days} days."
        return Finding(State.WARN, words, "python -m vendorrisk trail verify")
    words = f"The trail has {events:,} events; on {past.at:%Y-%m-%d} there were {past.problems:,} findings."
    remedy = "python -m vendorrisk trail verify: see docs/how-to/verify-the-trail.md."
    return Finding(State.STOP if past.problems else State.OK, words, remedy)


def copies(deployment: Deployment) -> Finding:
    """Copies from before an upgrade hold the keys of vendors that were erased since."""
    file = upgrading.sqlite_file(deployment.settings.database)
    before = (deployment.now - _COPY_KEPT).timestamp()
    copies = sorted(file.parent.glob(f"{file.name}.before-*")) if file is not None else []
    old = [copy.name for copy in copies if copy.stat().st_mtime < before]
    if old:
        words = f"{', '.join(old)}: copied before an upgrade, more than {_COPY_KEPT.days} days ago."
        return Finding(State.WARN, words, "Delete it: it holds the keys of vendors that were erased since.")
    return Finding(State.OK, "No copy from before an upgrade has been left lying about.")


def keyring(deployment: Deployment) -> Finding:
    """The keyring beside the backups opens, and holds no key of a vendor that was erased."""
    assert deployment.database is not None
    folder = deployment.settings.backups
    with deployment.database.reading() as session:
        made, destroyed = backup_keys.last_made(session), backup_keys.destroyed(session)
        erased = session.scalar(select(func.max(Vendor.erased_at)))
    if folder is None:
        return _unnamed_folder(made, erased)
    if not (folder / backup_keys.NAME).exists():
        return _no_keyring(folder, made)
    try:
        held = backup_keys.read(folder / backup_keys.NAME, keys.load(deployment.settings.key_file))
    except (BadBackup, OSError) as error:
        words = "Backups cannot be read with it. Where it is this deployment's: python -m vendorrisk backup"
        return Finding(State.STOP, str(error), words)
    left = len(destroyed & {key.id for key in held.keys})
    if left:
        words = f"The keyring in {folder} still holds the keys of {left} erased vendors: backups can be read with them."
        remedy = "Start the service, which takes them out within a minute, or run: python -m vendorrisk backup"
        return Finding(State.STOP, words, remedy)
    return Finding(State.OK, f"The keyring in {folder} opens, and holds no key of an erased vendor.")


def _unnamed_folder(made: datetime | None, erased: datetime | None) -> Finding:
    if made is not None and erased is not None and erased > made:
        words = "Vendors were erased since the last backup; VENDORRISK_BACKUPS is not set, so no keyring was renewed."
        return Finding(State.WARN, words, "For each folder of backups, run: python -m vendorrisk backup FOLDER")
    return Finding(State.OK, "VENDORRISK_BACKUPS is not set, and no vendor was erased since the last backup.")


def _no_keyring(folder: Path, made: datetime | None) -> Finding:
    if made is not None:
        words = f"Backups were made, but there is no keyring in {folder}."
        return Finding(State.WARN, words, "Is its disk there? If no backup lies there yet: python -m vendorrisk backup")
    return Finding(State.OK, "No backup was made yet.")


def scanner(deployment: Deployment) -> Finding:
    """ClamAV answers, where it is asked for."""
    scanner = open_scanner(deployment.settings.clamav)
    if scanner is None:
        return Finding(State.OK, "Evidence is not scanned: VENDORRISK_CLAMAV is not set.")
    try:
        replace(scanner, seconds=_PING_SECONDS).ping()
    except Unavailable as error:
        return Finding(State.STOP, f"{error}.", "Start clamd: until it answers, no evidence is taken.")
    return Finding(State.OK, "ClamAV answers.")


def storage(deployment: Deployment) -> Finding:
    """Files can be stored."""
    try:
        return health.storage_takes(open_storage(deployment.settings.storage))
    except BadStorage as error:
        return Finding(State.STOP, str(error), "Put VENDORRISK_STORAGE or the rights of its folder right.")


def room(deployment: Deployment) -> Finding:
    """There is room for database and files."""
    folders = [folder for folder in _folders(deployment.settings) if folder.exists()]
    least = min((shutil.disk_usage(folder).free for folder in folders), default=None)
    if least is None:
        return Finding(State.OK, "Database and files lie elsewhere: watch their room there.")
    words = f"{least / 1024 / 1024 / 1024:.1f} GB are free for database and files."
    if least < LITTLE_ROOM:
        return Finding(State.WARN, words, "Make room: on a full disk nothing can be saved.")
    return Finding(State.OK, words)


def _folders(settings: Settings) -> Iterator[Path]:
    if (file := upgrading.sqlite_file(settings.database)) is not None:
        yield file.parent
    parts = urlsplit(settings.storage)
    if parts.scheme in ("", "file"):
        yield Path(unquote(parts.path))


def mail(deployment: Deployment) -> Finding:
    """The mail server lets us in; no letter is sent."""
    address = urlsplit(deployment.settings.mail)
    try:
        open_transport(deployment.settings.mail).probe()
    except BadSettings as error:
        return Finding(State.STOP, " ".join(error.problems), "Put VENDORRISK_MAIL right.")
    except (NotNow, Refused) as error:
        return Finding(State.STOP, f"The mail server cannot be used: {error}", "Letters wait until it can.")
    if address.scheme == "file":
        text = "Letters are kept in a folder and mailed to nobody."
        return Finding(State.WARN, text, "Set VENDORRISK_MAIL to your mail server.")
    return Finding(
        State.OK, f"{address.hostname} answers. To see a letter arrive: python -m vendorrisk mail test ADDRESS"
    )


def links(deployment: Deployment) -> Finding:
    """Links in letters lead here from elsewhere too."""
    base = deployment.settings.base_url
    if health.links_lead_here_only(deployment.settings):
        return Finding(
            State.WARN, f"Links begin with {base} and open on this machine only.", "Set VENDORRISK_BASE_URL."
        )
    return Finding(State.OK, f"Links begin with {base}.")


def clock(deployment: Deployment) -> Finding:
    """Our clock and the database’s agree."""
    assert deployment.database is not None
    with deployment.database.reading() as session:
        newest = session.scalar(select(func.max(Event.at)))
        there = None if deployment.database.is_sqlite else session.scalar(select(func.clock_timestamp()))
    ahead = newest - deployment.now if newest is not None else timedelta(0)
    apart = abs(there - deployment.now) if there is not None else timedelta(0)
    if max(ahead, apart) > _CLOCKS_MAY_DIFFER:
        words = f"This machine's clock and the database's are {max(ahead, apart).total_seconds():.0f} seconds apart."
        return Finding(State.STOP, words, "Set the clocks by NTP: links, codes and due dates depend on them.")
    return Finding(State.OK, f"It is {deployment.now:%Y-%m-%d %H:%M:%S} UTC, here and in the database.")


def work(deployment: Deployment) -> Finding:
    """Letters and reports are taken, and none was given up."""
    assert deployment.database is not None
    with deployment.database.reading() as session:
        found = health.work_goes_on(session, now=deployment.now)
        held_up, parked = health.letters_held_up(session), _parked(session)
    if found.state is not State.OK:
        return found
    if parked or held_up:
        words = f"Given up: {parked} (letters and reports). Waiting for the mail server: {held_up} (letters)."
        return Finding(State.WARN, words, "See the page Stuck (/work): it has the reasons, and tries again.")
    return found


def _parked(session: Session) -> int:
    counts = (
        select(func.count()).select_from(table).where(table.state == WorkState.FAILED) for table in (Letter, Report)
    )
    return sum(session.scalar(count) or 0 for count in counts)


def people(deployment: Deployment) -> Finding:
    """Somebody can sign in."""
    assert deployment.database is not None
    with deployment.database.reading() as session:
        if session.scalar(select(User.id).where(User.active.is_(True)).limit(1)) is None:
            remedy = "python -m vendorrisk user add you@example.com --name 'Your Name' --role admin"
            return Finding(State.WARN, "Nobody can sign in.", remedy)
    return Finding(State.OK, "There are accounts to sign in with.")


def reports(deployment: Deployment) -> Finding:
    """A page can be rendered."""
    try:
        size = len(pdf.try_out())
    except RenderFailed as error:
        remedy = "Install Pango and HarfBuzz: see docs/how-to/run-it.md."
        return Finding(State.STOP, f"A page could not be rendered: {error}", remedy)
    return Finding(State.OK, f"A page with the embedded fonts was rendered ({size // 1024} KB).")


def network(deployment: Deployment) -> Finding:
    """The process that makes reports has no network."""
    if pdf.can_cut_network():
        return Finding(State.OK, "The process that makes reports has no network.")
    words = (
        "The process that makes reports cannot be cut off from the network here; Python's own doors are closed to it."
    )
    return Finding(State.WARN, words, "Allow user namespaces to the service, or forbid it the network from outside.")
