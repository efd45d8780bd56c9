"""One sample of every letter, with values that are easy to find again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from vendorrisk.mail import messages
from vendorrisk.mail.messages import Message

LINK = "https://risk.acme.example/q/7Gq0xw6t1mC1u4d9vY2bKz8nR5sJ3hLpE_aTfWcXoQi"

VALUES: dict[str, dict[str, Any]] = {
    "invitation": {
        "organisation": "Acme Ltd", "sender_name": "Petra Novak", "sender_email": "petra@acme.example",
        "sender_phone": "+44 20 7946 0000", "to": "dana@northwind.example", "to_name": "Dana Scott",
        "questionnaire_titles": ("Data sourcing", "Breach history", "Customer list protection"),
        "question_count": 104, "minutes": 85, "due": datetime(2026, 7, 17, 16, tzinfo=UTC), "zone": "Europe/London",
        "closes": datetime(2026, 7, 31, 16, tzinfo=UTC), "link": LINK, "reference": "R-7F3K2M",
        "note": "As discussed on Monday.", "service": "Mailing service for members",
    },
    "access_code": {"to": "dana@northwind.example", "code": "402917", "minutes": 10, "reference": "R-7F3K2M"},
    "receipt": {
        "to": "dana@northwind.example", "to_name": "Dana Scott", "organisation": "Acme Ltd", "reference": "R-7F3K2M",
        "submitted_at": datetime(2026, 7, 14, 9, 30, tzinfo=UTC), "answered": 61, "not_applicable": 3, "files": 7,
        "digest": "5e" * 32, "link": "https://risk.acme.example/respond/R-7F3K2M/done",
        "reply_to": "petra@acme.example",
    },
    "answers_arrived": {
        "to": "petra@acme.example", "to_name": "Petra Novak", "vendor": "Northwind Mail",
        "assessment_reference": "A-2026-0042", "answered": 61, "visible": 64,
        "link": "https://risk.acme.example/assessments/A-2026-0042",
    },
    "trail_head": {
        "to": "audrey@acme.example", "organisation": "Acme Ltd", "day": date(2026, 7, 14), "position": 1204,
        "chain": "9f2c41d0b5aa7e13" * 4, "sealed_at": datetime(2026, 7, 13, 23, 58, tzinfo=UTC),
    },
    "sign_in_reset": {
        "to": "petra@acme.example", "to_name": "Petra Novak", "link": "https://risk.acme.example/reset/abc", "hours": 2,
    },
    "many_vendors": {
        "to": "adam@acme.example", "to_name": "Adam Reed", "who": "Petra Novak", "email": "petra@acme.example",
        "count": 60, "at": datetime(2026, 7, 14, 9, 30, tzinfo=UTC),
    },
    "sign_in_changed": {
        "to": "petra@acme.example", "to_name": "Petra Novak", "what": "a passkey was added (“Work laptop”)",
        "at": datetime(2026, 7, 14, 9, 30, tzinfo=UTC),
    },
}  # fmt: skip


def letter(kind: str, **other: Any) -> Message:
    """The sample letter of this kind, with other values where wanted."""
    return messages.LETTERS[kind](**(VALUES[kind] | other))
