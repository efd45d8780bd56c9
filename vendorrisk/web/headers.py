"""The security headers of every response: pages, redirects, errors and files alike. See security.md, row 13."""

from __future__ import annotations

from flask import Flask, Response, request, session

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # data: for the few icons that live inside the style sheets
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_ALWAYS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
_HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask, *, https: bool) -> None:
    """Add the headers to whatever leaves. A view may set its own, stricter Content-Security-Policy (evidence does)."""

    always = {**_ALWAYS, "Strict-Transport-Security": _HSTS} if https else _ALWAYS

    @app.after_request
    def _add(response: Response) -> Response:
        there = {name.lower() for name, _ in response.headers}
        for name, value in always.items():
            if name.lower() not in there:
                response.headers.add(name, value)
        if request.endpoint == "static" and response.status_code in (200, 206, 304):
            # The account guard looked into the session; without this, Vary: Cookie would spoil the browser's cache.
            session.accessed = False
        else:
            response.headers["Cache-Control"] = "no-store"
        return response
