"""Starts vendorrisk: `python app.py` runs pages and jobs in one process; other WSGI servers call `create()`."""

from __future__ import annotations

import os
import sys

from vendorrisk import lean

with lean.nothing_to_collect():
    from flask import Flask

    from vendorrisk import __main__ as program
    from vendorrisk import factory
    from vendorrisk.settings import Settings
    from vendorrisk.web import logs


def create() -> Flask:
    """The web application alone, without the jobs: for `gunicorn 'app:create()'` and the like."""
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log, settings.log_format)
    return factory.create_app(settings)


if __name__ == "__main__":
    sys.exit(program.main(["serve", *sys.argv[1:]]))
