"""Links and codes against robots and guessers: what opens links, presses buttons and tries codes gets nothing."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select, update

from bench.faults.counts import Count
from bench.faults.linked import CANARIES, Scene, Waiting, scene, wait_until
from bench.faults.visitor import Answer, Visitor
from tests import builders, dump
from vendorrisk.db.models import AccessCode, Event, Link
from vendorrisk.services.sending import access_codes, invitations

LINKS = 20
GETS, HEADS = 50, 10
STAYS_SECONDS = 15
STAYING = 3
"""So many links are watched by a browser for as long as that; the others for one second."""
GUESSES = 2_000
SCANNERS = (
    "Mozilla/5.0 (compatible; SafeLinks)", "Barracuda Sentinel (EE)", "Proofpoint URL Defense", "Mimecast",
    "Slackbot-LinkExpanding 1.0", "facebookexternalhit/1.1", "WhatsApp/2.23", "Twitterbot/1.0",
    "Google-PageRenderer", "curl/8.5", "", "python-requests/2.32",
)  # fmt: skip
_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
CHANGED_BY_A_CODE = {"+access_codes", "+letters", "+trail_events", "+attempts", "-attempts", "+trail_links"}


def counts() -> Iterator[Count]:
    """Robots that look, robots that press, guesses, parallel redeems, codes that have run out."""
    with scene(LINKS) as made:
        yield from _lookers(made)
        yield _starers(made)
        yield _without_cookies(made)
        yield from _pressers(made)
    with scene(LINKS) as made:
        yield from _redeemed_at_once(made)
        yield _run_out(made)
    with scene(LINKS) as made:
        yield from _guessed_codes(made)
        yield _guessed_tokens(made)


def _names_in(answer: Answer) -> bool:
    said = (answer.text + answer.headers).lower()
    return any(word in said for word in CANARIES)


def _is_sealed(made: Scene) -> bool:
    """Whether the sealer has linked all that was written before: that changes rows too."""
    loose = select(Event.number).where(Event.number.not_in(select(Link.event_number))).limit(1)
    with made.database.reading() as session:
        return session.scalar(loose) is None


def _lookers(made: Scene) -> Iterator[Count]:
    wait_until(lambda: _is_sealed(made))
    before, named, dead = dump.rows(made.database), 0, 0
    for link in made.links:
        for number in range(GETS + HEADS):
            robot = Visitor(made.port, f"127.0.{1 + number % 5}.{1 + number}", SCANNERS[number % len(SCANNERS)])
            more = (
                {"Purpose": "prefetch", "Sec_Purpose": "prefetch;prerender", "X_Moz": "prefetch"} if number % 3 else {}
            )
            answer = robot.send("HEAD" if number < HEADS else "GET", f"/q/{link.token}", None, **more)
            named += _names_in(answer)
            dead += answer.status != 200
    tried = LINKS * (GETS + HEADS)
    yield Count("links opened by robots: no name on page or in a header", tried, named)
    yield Count("links opened by robots: they still work", tried, dead)
    yield Count("links opened by robots: rows that changed", tried, len(dump.changes(before, dump.rows(made.database))))
    linked = {path for link in made.links[:1] for path in _linked(Visitor(made.port).get(f"/q/{link.token}").text)}
    named = sum(_names_in(Visitor(made.port).get(path)) for path in linked)
    yield Count(
        "what the page before the code loads or links to: no name", len(linked), named, ", ".join(sorted(linked))
    )


def _linked(page: str) -> set[str]:
    return {path for path in re.findall(r'(?:href|src|action)="(/[^"]*)"', page) if not path.startswith("/q/")}


def _starers(made: Scene) -> Count:
    """A browser that runs every script and presses nothing."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    before, wrong = dump.rows(made.database), 0
    with sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=chromium, args=[*sandbox, *_FLAGS])
        pages = []
        for link in made.links:
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{made.port}/q/{link.token}")
            pages.append(page)
            if len(pages) > STAYING:
                page.wait_for_timeout(1_000)
        pages[0].wait_for_timeout(STAYS_SECONDS * 1_000)
        for page, link in zip(pages, made.links, strict=True):
            shown = (page.content() + page.title()).lower()
            wrong += any(word in shown for word in CANARIES) or not page.url.endswith(link.token)
        browser.close()
    wrong += len(dump.changes(before, dump.rows(made.database)))
    return Count("links left open in Chromium: no name, no move, no row changed", LINKS, wrong, f"{STAYS_SECONDS} s")


def _without_cookies(made: Scene) -> Count:
    before, wrong = dump.rows(made.database), 0
    for link in made.links:
        for number in range(10):
            robot = Visitor(made.port, f"127.1.0.{1 + number}", SCANNERS[number])
            answer = robot.send("POST", f"/q/{link.token}", "fresh=1" if number % 2 else "")
            wrong += answer.status != 400 or _names_in(answer)
    wrong += len(dump.changes(before, dump.rows(made.database)))
    return Count("robots that send the form without its token: refused, no row changed", LINKS * 10, wrong)


def _pressers(made: Scene) -> Iterator[Count]:
    """Robots with cookies that press Continue, and go where it leads."""
    named = opened = limited = 0
    before = dump.rows(made.database)
    pressed = 20
    for link in made.links:
        for number in range(pressed):
            robot = Visitor(made.port, f"127.2.0.{1 + number}", SCANNERS[number % len(SCANNERS)])
            answer = robot.post(f"/q/{link.token}")
            limited += answer.status == 429
            opened += "/respond/" in answer.location
            then = robot.get(answer.location) if answer.location else answer
            named += _names_in(answer) or _names_in(then)
    changed = dump.changes(before, dump.rows(made.database)) - CHANGED_BY_A_CODE
    changed = {what for what in changed if not what.startswith("letters.")}  # the job that delivers them
    tried = LINKS * pressed
    sent = max(len(made.letters(link.mailbox)) for link in made.links)
    yield Count("robots that press Continue: none gets in, no name", tried, opened + named, f"{limited} × 429")
    yield Count("robots that press Continue: nothing but codes is written", tried, len(changed), ", ".join(changed))
    yield Count("robots that press Continue: at most ten letters a link", LINKS, int(sent > access_codes.SENDS.tries),
                f"{sent} at most")  # fmt: skip


def _asked(made: Scene, link: Waiting, address: str = "127.0.0.1") -> tuple[Visitor, str]:
    """A browser that asked for a code, and the page to type it into."""
    browser = Visitor(made.port, address)
    answer = browser.post(f"/q/{link.token}")
    assert answer.location == f"/q/{link.reference}/code", (answer.status, answer.location)
    return browser, answer.location


def _redeemed_at_once(made: Scene) -> Iterator[Count]:
    wrong, parallel = 0, 20
    for link in made.links[: LINKS // 2]:
        browser, page = _asked(made, link)
        code = made.codes(link.mailbox)[-1]
        csrf = builders.token_in(browser.get(page).text)

        def redeem(
            _number: int, browser: Visitor = browser, page: str = page, code: str = code, csrf: str = csrf
        ) -> int:
            twin = Visitor(browser.port, cookies=dict(browser.cookies))
            return int("/respond/" in twin.post(page, {"code": code}, csrf=csrf).location)

        with ThreadPoolExecutor(parallel) as pool:
            wrong += sum(pool.map(redeem, range(parallel))) != 1
    yield Count(f"codes redeemed by {parallel} at once: one gets in", LINKS // 2, wrong)
    wrong = 0
    for link in made.links[LINKS // 2 :]:
        browser, page = _asked(made, link)
        code = made.codes(link.mailbox)[-1]
        answers = [browser.post(page, {"code": _other(code, number)}) for number in range(1, 6)]
        sixth = browser.post(page, {"code": code})
        wrong += sixth.status != 422 or "too often" not in sixth.text or any(a.status != 422 for a in answers)
    yield Count("the sixth try, though right: refused", LINKS - LINKS // 2, wrong)


def _other(code: str, by: int) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def _run_out(made: Scene) -> Count:
    """The clock moved: the rows are made ten minutes older."""
    wrong, links = 0, made.links[: LINKS // 2]
    for link in links:
        browser, page = _asked(made, link)
        code = made.codes(link.mailbox, 2)[-1]
        with made.database.writing() as session:
            for row in session.query(AccessCode).filter(AccessCode.used_at.is_(None)):
                session.execute(
                    update(AccessCode)
                    .where(AccessCode.id == row.id)
                    .values(expires_at=row.expires_at - timedelta(minutes=10))
                )
        answer = browser.post(page, {"code": code})
        wrong += answer.status != 422 or "expired" not in answer.text
    return Count("codes after ten minutes: refused", len(links), wrong)


def _guessed_codes(made: Scene) -> Iterator[Count]:
    """Random codes, over many browsers and addresses; half-way the service is killed and started again."""
    chance, tried, hits, judged = random.Random(), 0, 0, 0
    wave = 0
    while tried < GUESSES:
        wave += 1
        for link in made.links:
            browser = Visitor(made.port, f"127.3.{wave}.{1 + tried % 250}")
            answer = browser.post(f"/q/{link.token}")
            page = f"/q/{link.reference}/code"
            csrf = builders.token_in(browser.get(page).text)
            for _ in range(10):
                answer = browser.post(page, {"code": f"{chance.randrange(10**6):06d}"}, csrf=csrf)
                tried += 1
                hits += "/respond/" in answer.location
                judged += "That is not the code" in answer.text or "tried too often" in answer.text
        if wave == GUESSES // (len(made.links) * 20):
            made.service.kill()
            made.service.start()
    yield Count("codes guessed across browsers, addresses and a restart", tried, hits, f"{judged} reached a code")
    with made.database.reading() as session:
        judged = sum(row.tries for row in session.query(AccessCode))
    most = len(made.links) * access_codes.WRONG.tries
    more = f"{judged}; {access_codes.WRONG.tries} a link and day are allowed"
    yield Count("guesses compared with a code beyond what is allowed", tried, max(0, judged - most), more)


def _guessed_tokens(made: Scene) -> Count:
    hits, bodies = 0, set()
    visitor = Visitor(made.port)
    for _ in range(GUESSES):
        answer = visitor.get(f"/q/{invitations.new_token()}")
        hits += answer.status != 404
        bodies.add(re.sub(r'csrf_token" value="[^"]+', "", answer.text))
    return Count("tokens guessed: one and the same page for all", GUESSES, hits + len(bodies) - 1)
