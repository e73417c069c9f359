"""What happened, day by day, in numbers that are small at any size of the site.

``cases`` says what one case adds to them, ``calls`` and ``shadows`` what a day of the ledger
adds; ``counting`` keeps the rows of ``cells`` up to date, and ``report`` reads them for people.
"""

from __future__ import annotations

from django_faceverify.figures.counting import INTERVAL, advance, rebuild

__all__ = ["INTERVAL", "advance", "rebuild"]
