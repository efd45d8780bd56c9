"""Small questionnaire files for the tests of this folder."""

from __future__ import annotations

from textwrap import dedent, indent

HEAD = """\
id: broken
version: "1.0"
title: Broken
sections:
  - id: only
    title: Only
    questions:
"""
"""Seven lines: what a test puts below starts on line 8, at column 7."""

GATE = """\
- id: gate
  code: AB-01
  type: yes_no
  text: Did it happen?
  weight: 3
  options: [{code: yes, label: Yes, risk: [0.25, 1]}, {code: no, label: No, risk: 0}]
"""
"""A scored question of six lines, 8 to 13; the next starts on line 14."""


def with_questions(*questions: str) -> str:
    """A questionnaire file with these questions."""
    return HEAD + "".join(indent(dedent(question), " " * 6) for question in questions)
