"""The provider's HTTP service, played on your own machine.

The far side of the wire: a second implementation of ``POST /face/idcardcompare``, written
from the vendor's documents (641/12433, 641/12409). It checks signatures, limits and fields
as the provider does, lets the ID number choose the answer (``scenarios``), and keeps a bill
of what it charged. It shares no code with the rest of the package, so that neither side can
hide the other's mistakes, and needs the standard library only.

What it charges for, in amounts of 1.80 CNY::

    charged       every comparison that was done: scenarios 001 to 003, 042 to 045, the
                  vendor's example number, 031 and 041 from the second call on; and 004,
                  name and number do not match
    not charged   everything else: refused requests, photo and register problems, throttling,
                  faults (040, 046), and 047, dropped before any work is done

From code: ``with Sandbox() as sandbox: ...``. From a shell:
``python -m django_faceverify.sandbox``.
"""

from __future__ import annotations

from .scenarios import scenario_number
from .server import DEFAULT_APPID, DEFAULT_SECRET_ID, DEFAULT_SECRET_KEY, Sandbox

__all__ = [
    "DEFAULT_APPID",
    "DEFAULT_SECRET_ID",
    "DEFAULT_SECRET_KEY",
    "Sandbox",
    "scenario_number",
]
