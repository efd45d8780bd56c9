"""What all tests share: databases, the running application and the people who use it; each in a module of its own."""

from __future__ import annotations

pytest_plugins = ("tests.databases", "tests.buckets", "tests.application", "tests.cast", "tests.live")
