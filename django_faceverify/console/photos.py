"""Photos: sent only by our own view, to those who may see them."""

from __future__ import annotations

from django.http import HttpResponse

#: nothing may keep, interpret, embed or pass on the picture
PHOTO_HEADERS = {
    "Cache-Control": "no-store, private",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def photo_response(jpeg: bytes) -> HttpResponse:
    return HttpResponse(jpeg, content_type="image/jpeg", headers=PHOTO_HEADERS)
