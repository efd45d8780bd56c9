"""What all tests share: databases, the running application and the people who use it; each in a module of its own."""

from __future__ import annotations

import os

import hypothesis

pytest_plugins = ("tests.databases", "tests.buckets", "tests.application", "tests.cast", "tests.live", "tests.counts")

# A busy machine is no mistake of an example's. CI tries the same ones each time: what fails there can be had again.
hypothesis.settings.register_profile(
    "vendorrisk", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=os.environ.get("VENDORRISK_REQUIRE_ALL") == "1",
)  # fmt: skip
hypothesis.settings.load_profile("vendorrisk")
