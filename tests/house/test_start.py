"""What a start must not load: each of these costs a tenth of a second or more, and most starts do nothing with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "alembic", "boto3", "botocore", "css_inline", "obstore", "prompt_toolkit", "psycopg", "pydantic",
    "qrcode", "rich", "ruamel", "weasyprint",
    "webauthn", "xlsxwriter",
)  # fmt: skip


def test_a_start_loads_nothing_that_only_some_work_needs() -> None:
    program = "import sys, vendorrisk.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "sqlalchemy" in loaded
    assert set(HEAVY) & set(loaded) == set()
