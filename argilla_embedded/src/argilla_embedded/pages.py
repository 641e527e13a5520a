"""What pages may load: this server's own files only, so that neither Argilla's pages nor a record's text call out.

Argilla's pages ask Google for fonts, and a record may hold an image of any address, which would tell that address who
reads it and when.
"""

from __future__ import annotations

from argilla_embedded.asgi import App, Message, Receive, Send


def policy(remote_content: bool) -> str:
    """Return the Content-Security-Policy; `remote_content` lets images, audio and video come from anywhere."""
    media = "'self' data: blob:" + (" http: https:" if remote_content else "")
    rules = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",  # Nuxt's start, and Argilla's own field templates
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self' data:",
        "img-src": media,
        "media-src": media,
        "connect-src": "'self' data: blob:",
        "frame-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def guarded(app: App, remote_content: bool) -> App:
    """Return `app` with headers on every answer that keep browsers from loading what is not its own."""
    headers = [
        (b"content-security-policy", policy(remote_content).encode()),
        (b"referrer-policy", b"same-origin"),
        (b"x-content-type-options", b"nosniff"),
    ]

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        await app(scope, receive, send_with_headers)

    return guard
