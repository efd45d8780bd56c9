"""For each shipped contradiction rule: answers on which it fires, and others, nearly the same, on which it does not."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.domain.make import asked
from vendorrisk.domain.answers import Row, Table

EVENT: dict[str, object] = {"BH-02": "yes"}
ROW: Row = {
    "title": "Client list taken", "security_incident": "confirmed", "compromised_on": "2026-01-01",
    "discovered_on": "2026-01-10", "contained_on": "2026-01-11", "customers_told_on": "2026-01-12",
    "action": ("hacking",), "actor": ("external",), "data_disclosure": "yes",
    "relationship_data": ("relationship",), "customers_affected_share": "100",
}  # fmt: skip
SOURCES: Row = {"name": "Register", "owner": "public", "method": "api"}


def _rows(code: str, usual: Row, changed: Sequence[Row]) -> Table:
    blank: Row = {c.id: () if c.type.value == "choices" else "" for c in asked(code).columns}
    return Table(tuple({**blank, **usual, **change} for change in changed))


def register(*changed: Row) -> Table:
    """An incident register with one row for each change of the usual row."""
    return _rows("BH-13", ROW, changed)


def sources(*changed: Row) -> Table:
    """A register of sources, the same way."""
    return _rows("DS-02", SOURCES, changed)


TOLD = {**EVENT, "BH-13": register({})}  # two days from discovery to telling
SOFT = register({"data_disclosure": "no", "relationship_data": ("none",), "customers_affected_share": "0"})

FIRING: dict[str, list[tuple[dict[str, object], dict[str, object]]]] = {
    "C-02": [
        ({"BH-02": "no", "BH-03": "listed"}, {"BH-02": "yes", "BH-03": "listed"}),
        ({"BH-02": "no", "BH-11": "listed"}, {"BH-02": "no", "BH-11": "unl"}),
        ({"BH-02": "no", "BH-10": "listed"}, {"BH-02": "unk", "BH-10": "listed"}),
    ],
    "C-03": [({**EVENT, "BH-13": "none"}, {**EVENT, "BH-13": register({})}), ({**EVENT, "BH-13": "none"}, EVENT)],
    "C-04-BH-03": [({**EVENT, "BH-03": "listed", "BH-13": SOFT}, {**TOLD, "BH-03": "listed"})],
    "C-04-BH-04": [
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"hosting": "external"})}),
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"actor": ("partner",)})}),
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"subprocessor": "Postway"})}),
        ({**TOLD, "BH-04": "listed"}, {**TOLD, "BH-04": "no"}),
    ],
    "C-04-BH-05": [
        (
            {**EVENT, "BH-05": "listed", "BH-13": register({"relationship_data": ("none",)})},
            {**TOLD, "BH-05": "listed"},
        ),
        ({**EVENT, "BH-05": "listed", "BH-13": register({"relationship_data": ()})}, {**TOLD, "BH-05": "listed"}),
    ],
    "C-04-BH-06": [
        ({**TOLD, "BH-06": "listed"}, {**EVENT, "BH-06": "listed", "BH-13": register({"action": ("error",)})}),
        ({**TOLD, "BH-06": "listed"}, {**EVENT, "BH-06": "listed", "BH-13": register({"title": "Open bucket"})}),
    ],
    "C-04-BH-07": [({**EVENT, "BH-07": "listed", "BH-13": SOFT}, {**TOLD, "BH-07": "listed"})],
    "C-04-BH-08": [
        ({**TOLD, "BH-08": "listed"}, {**EVENT, "BH-08": "listed", "BH-13": register({"action": ("misuse",)})}),
        ({**TOLD, "BH-08": "listed"}, {**EVENT, "BH-08": "listed", "BH-13": register({"actor": ("internal",)})}),
    ],
    "C-04-BH-09": [
        (
            {**TOLD, "BH-09": "listed"},
            {**EVENT, "BH-09": "listed", "BH-13": register({"discovery_method": "security_researcher"})},
        )
    ],
    "C-04-BH-10": [
        (
            {**EVENT, "BH-10": "listed", "BH-13": register({"actor": ("internal",)})},
            {**TOLD, "BH-10": "listed"},
        )
    ],
    "C-04-BH-11": [
        ({**TOLD, "BH-11": "listed"}, {**EVENT, "BH-11": "listed", "BH-13": register({"action": ("physical",)})})
    ],
    "C-05": [
        ({"BH-05": "no", "CL-24": "yes"}, {"BH-05": "listed", "CL-24": "yes"}),
        ({"BH-05": "listed", "CL-24": "no"}, {"BH-05": "no", "CL-24": "no"}),
        ({"BH-05": "no", "CL-24": "yes"}, {"BH-05": "unk", "CL-24": "yes"}),
    ],
    "C-06": [
        (
            {**EVENT, "BH-13": register({"data_disclosure": "no", "relationship_data": ("none",)})},
            {**EVENT, "BH-13": SOFT},
        ),
        (
            {**EVENT, "BH-13": register({"data_disclosure": "no", "customers_affected_share": "0"})},
            {**EVENT, "BH-13": register({"data_disclosure": "potentially", "customers_affected_share": "0"})},
        ),
    ],
    "C-07": [
        ({**EVENT, "BH-13": register({"discovered_on": "2025-12-31"})}, TOLD),
        ({**EVENT, "BH-13": register({"contained_on": "2026-01-09"})}, TOLD),
        ({**EVENT, "BH-13": register({"customers_told_on": "2026-01-09"})}, TOLD),
        ({**EVENT, "BH-13": register({"customers_told_on": "2026-07"})}, TOLD),
        (
            {**EVENT, "BH-13": register({"discovered_on": "2025-12"})},
            {**EVENT, "BH-13": register({"discovered_on": "2026"})},
        ),
    ],
    "C-08a": [
        ({**TOLD, "BH-14": Decimal("1")}, {**TOLD, "BH-14": Decimal("2")}),
        (
            {**TOLD, "BH-14": Decimal("1")},
            {**EVENT, "BH-13": register({"discovered_on": "2026-01"}), "BH-14": Decimal("0")},  # the 12th, read kindly
        ),
        (
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": Decimal("2")},
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": "never"},
        ),
        (
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": Decimal("2")},
            {
                **EVENT,
                "BH-13": register({}, {"customers_told_on": "not_told", "security_incident": "near_miss"}),
                "BH-14": Decimal("2"),
            },
        ),
    ],
    "C-08b": [
        ({**TOLD, "BH-14": Decimal("3")}, {**TOLD, "BH-14": Decimal("2")}),
        ({**TOLD, "BH-14": "never"}, {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": "never"}),
        (
            {**TOLD, "BH-14": Decimal("30")},
            {**EVENT, "BH-13": register({}, {"discovered_on": "unknown"}), "BH-14": Decimal("30")},
        ),
    ],
    "C-09a": [
        ({**EVENT, "BH-18": "tp", "BH-30": Decimal("0.5")}, {**EVENT, "BH-18": "tp", "BH-30": Decimal("1")}),
        ({**EVENT, "BH-18": "int", "BH-30": "d"}, {**EVENT, "BH-18": "assert", "BH-30": "d"}),
    ],
    "C-09b": [
        (
            {**EVENT, "BH-13": register({"compromised_on": "2025-01-01"}), "BH-18": "tp", "BH-30": Decimal("12")},
            {**EVENT, "BH-13": register({"compromised_on": "2025-01-01"}), "BH-18": "tp", "BH-30": Decimal("13")},
        )
    ],
    "C-10": [
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-12", "discovery_method": "customer"})},
        ),
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "same", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
        ),
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "internal"})},
        ),
    ],
    "C-12": [
        ({"DS-01": ["web"], "DS-04": "no"}, {"DS-01": ["web"], "DS-04": "yes"}),
        ({"DS-01": ["lic", "social"], "DS-04": "no"}, {"DS-01": ["lic", "broker"], "DS-04": "no"}),
    ],
    "C-13": [
        (
            {"DS-01": ["lic", "cust"], "DS-02": sources({}, {"method": "crawl"})},
            {"DS-01": ["lic", "web"], "DS-02": sources({}, {"method": "crawl"})},
        ),
        ({"DS-01": ["open"], "DS-02": sources({"method": "crawl"})}, {"DS-01": ["open"], "DS-02": sources({})}),
    ],
    "C-14": [
        ({"DS-10": ["none"], "DS-12": "cons"}, {"DS-10": ["none"], "DS-12": "no"}),
        ({"DS-10": ["none"], "DS-14": "yes"}, {"DS-10": ["bio"], "DS-14": "yes"}),
    ],
    "C-15": [
        (
            {"DS-14": "no", "DS-01": ["web"], "DS-12": "nocons", "DS-10": ["bio"]},
            {"DS-14": "no", "DS-01": ["lic"], "DS-12": "nocons", "DS-10": ["bio"]},
        ),
        (
            {"DS-14": "no", "DS-01": ["social"], "DS-12": "cons", "DS-10": ["bio", "kids"]},
            {"DS-14": "unk", "DS-01": ["social"], "DS-12": "cons", "DS-10": ["bio", "kids"]},
        ),
    ],
    "C-17": [
        (
            {"DS-03": Decimal("99"), "DS-02": "none"},
            {"DS-03": Decimal("98.9"), "DS-02": "none"},
        ),
        (
            {"DS-01": ["open"], "DS-03": Decimal("100"), "DS-02": sources({})},
            {
                "DS-01": ["open"],
                "DS-03": Decimal("100"),
                "DS-02": sources({c.id: "x" for c in asked("DS-02").columns}
                                 | {"first_collected": "2020", "last_collected": "2021"}),
            },
        ),
    ],
    "C-19": [
        ({"CL-02": ["none"], "CL-03": "optout"}, {"CL-02": ["none"], "CL-03": "cons"}),
        ({"CL-02": ["none"], "CL-23": "pd"}, {"CL-02": ["trial"], "CL-23": "pd"}),
        ({"CL-02": ["none"], "BH-28": ["rel"]}, {"CL-02": ["none"], "BH-28": ["sub"]}),
    ],
    "C-20": [
        ({"CL-18": "cust", "CL-19": "yes"}, {"CL-18": "cust", "CL-19": "abuse"}),
        ({"CL-18": "cust", "CL-06": Decimal("50.1")}, {"CL-18": "cust", "CL-06": "d"}),
        ({"CL-18": "cust", "CL-06": Decimal("50.1")}, {"CL-18": "bg", "CL-06": Decimal("50.1")}),
    ],
}  # fmt: skip
CASES = [(rule, *pair) for rule, pairs in FIRING.items() for pair in pairs]
"""Rule, answers on which it fires, answers on which it does not."""
