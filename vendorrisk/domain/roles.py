"""What a member of the organisation may be: accounts carry these roles, and views say which they are open to."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The names of the roles as accounts carry them."""

    ADMIN = "admin"
    STAFF = "staff"
    AUDITOR = "auditor"


DESCRIPTIONS: dict[Role, str] = {
    Role.ADMIN: "Runs the service: all that staff and auditors may, and accounts.",
    Role.STAFF: "Sends questionnaires, reviews answers, decides.",
    Role.AUDITOR: "Reads decided assessments, their reports and their trail; changes nothing.",
}
