"""Where views find what the service is made of; the factory puts it there."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from vendorrisk.services.runtime import Runtime

__all__ = ["Runtime", "current", "install"]

_KEY = "vendorrisk"


def install(app: Flask, runtime: Runtime) -> None:
    """Hang the runtime on the application."""
    app.extensions[_KEY] = runtime


def current() -> Runtime:
    """The runtime of the application that answers this request."""
    return cast(Runtime, current_app.extensions[_KEY])
