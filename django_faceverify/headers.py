"""What goes with an answer that shows a face or an identity: nobody may keep or embed it."""

from __future__ import annotations

#: shown once, to one person, by nobody's cache, and not told to the next site
PRIVATE_HEADERS = {
    "Cache-Control": "no-store, private",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not "no-referrer": a form on such a page would be sent with "Origin: null", and refused.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

#: a picture is shown inside our own pages, and never run as a document
PHOTO_TYPE = "image/jpeg"
PHOTO_HEADERS = PRIVATE_HEADERS | {
    "Content-Disposition": 'inline; filename="photo.jpg"',
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
