"""Who may open what: every route, and what becomes of each person there; `test_access` tries it, and misses none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from werkzeug.test import TestResponse


class Fate(Enum):
    """What becomes of a person at a door."""

    IN = "comes in"
    ASKED = "is asked to sign in"
    NOTHING = "sees nothing: 404"


IN, ASKED, NOTHING = Fate.IN, Fate.ASKED, Fate.NOTHING


def fate(answer: TestResponse) -> Fate:
    """What became of the person."""
    if answer.status_code == 303 and re.match(r"/sign-in(\?|$)", answer.location or ""):
        return ASKED
    return NOTHING if answer.status_code == 404 else IN


@dataclass(frozen=True)
class Row:
    """The fate of each person at one kind of door."""

    anonymous: Fate
    petra: Fate
    adam: Fate
    audrey: Fate
    victor: Fate
    mallory: Fate


STAFF = Row(anonymous=ASKED, petra=IN, adam=IN, audrey=NOTHING, victor=ASKED, mallory=ASKED)
ADMINS = Row(anonymous=ASKED, petra=NOTHING, adam=IN, audrey=NOTHING, victor=ASKED, mallory=ASKED)
AUDITORS = Row(anonymous=ASKED, petra=NOTHING, adam=IN, audrey=IN, victor=ASKED, mallory=ASKED)
SIGNED_IN = Row(anonymous=ASKED, petra=IN, adam=IN, audrey=IN, victor=ASKED, mallory=ASKED)
EVERYBODY = Row(anonymous=IN, petra=IN, adam=IN, audrey=IN, victor=IN, mallory=IN)
VENDOR = Row(anonymous=NOTHING, petra=NOTHING, adam=NOTHING, audrey=NOTHING, victor=IN, mallory=NOTHING)
HALFWAY = Row(anonymous=ASKED, petra=ASKED, adam=ASKED, audrey=ASKED, victor=ASKED, mallory=ASKED)
"""For those between the two steps of a sign-in, and nobody else."""
NOBODY = Row(anonymous=NOTHING, petra=NOTHING, adam=NOTHING, audrey=NOTHING, victor=NOTHING, mallory=NOTHING)

TABLE: dict[str, Row] = {
    "static": EVERYBODY,
    "about.accessibility": EVERYBODY,
    "about.privacy": EVERYBODY,
    "health.healthz": EVERYBODY,
    "health.readyz": EVERYBODY,
    "account.show": SIGNED_IN,
    "security.login": EVERYBODY,
    "security.logout": SIGNED_IN,
    "security.forgot_password": EVERYBODY,
    "security.reset_password": EVERYBODY,
    "security.change_password": SIGNED_IN,
    "second_step.code": HALFWAY,
    "second_step.give_code": HALFWAY,
    "second_step.set_up": HALFWAY,
    "second_step.finish_set_up": HALFWAY,
    "second_step.again": SIGNED_IN,
    "second_step.prove_again": SIGNED_IN,
    "passkeys.options": EVERYBODY,
    "passkeys.use": SIGNED_IN,  # it lets the unknown in, but not with what is sent here: they are asked again
    "passkeys.set_up": HALFWAY,
    "passkeys.set_up_options": HALFWAY,
    "passkeys.account_options": SIGNED_IN,
    "passkeys.add": SIGNED_IN,
    "passkeys.remove": SIGNED_IN,
    "account.ways": SIGNED_IN,
    "account.app": SIGNED_IN,
    "account.set_up_app": SIGNED_IN,
    "account.recovery_codes": SIGNED_IN,
    "staff.start": SIGNED_IN,
    "staff.home": STAFF,
    "staff.vendor_list": STAFF,
    "staff.vendor": STAFF,
    "staff.add_vendor": STAFF,
    "staff.edit_vendor": STAFF,
    "staff.add_contact": STAFF,
    "staff.edit_contact": STAFF,
    "staff.open_assessment": STAFF,
    "staff.erase_vendor": ADMINS,
    "staff.assessment_list": STAFF,
    "staff.assessment": STAFF,
    "staff.intake": STAFF,
    "staff.intake_page": STAFF,
    "staff.save_intake_page": STAFF,
    "staff.intake_result": STAFF,
    "staff.complete_intake": STAFF,
    "staff.send": STAFF,
    "staff.request_status": STAFF,
    "staff.fresh_link": STAFF,
    "staff.withdraw": STAFF,
    "staff.work": STAFF,
    "staff.retry_letter": STAFF,
    "staff.answers": STAFF,
    "staff.review_answer": STAFF,
    "staff.answer_on_behalf": STAFF,
    "staff.save_on_behalf": STAFF,
    "staff.evidence_file": STAFF,
    "staff.start_review": STAFF,
    "staff.begin_review": STAFF,
    "staff.score": STAFF,
    "staff.dismiss_contradiction": STAFF,
    "staff.decision": STAFF,
    "staff.decide": STAFF,
    "staff.reports": STAFF,
    "staff.ask_for_report": STAFF,
    "staff.report": STAFF,
    "staff.download_report": STAFF,
    "staff.retry_report": STAFF,
    "staff.trail": STAFF,
    "auditor.decided": AUDITORS,
    "auditor.assessment": AUDITORS,
    "auditor.trail": AUDITORS,
    "auditor.report": AUDITORS,
    "auditor.whole_trail": AUDITORS,
    "auditor.trail_json_lines": AUDITORS,
    "auditor.trail_csv": AUDITORS,
    "vendor.link": EVERYBODY,
    "vendor.follow": EVERYBODY,
    "vendor.code": EVERYBODY,
    "vendor.give_code": EVERYBODY,
    "vendor.fresh": EVERYBODY,
    "vendor.fresh_asked": EVERYBODY,
    "vendor.start": VENDOR,
    "vendor.begin": VENDOR,
    "vendor.tasks": VENDOR,
    "vendor.section": VENDOR,
    "vendor.save_section": VENDOR,
    "vendor.question": VENDOR,
    "vendor.save_answer": VENDOR,
    "vendor.attach": VENDOR,
    "vendor.download": VENDOR,
    "vendor.preview": VENDOR,
    "vendor.check": VENDOR,
    "vendor.submit": VENDOR,
    "vendor.done": VENDOR,
    "vendor.closed": VENDOR,
}

FRESHLY = frozenset(
    {
        "account.ways", "account.app", "account.set_up_app", "account.recovery_codes", "passkeys.account_options",
        "passkeys.add", "passkeys.remove", "security.change_password", "staff.decide", "staff.erase_vendor",
        "auditor.trail_json_lines", "auditor.trail_csv",
    }
)  # fmt: skip
"""What is asked for again where the last proof is more than ten minutes ago."""
