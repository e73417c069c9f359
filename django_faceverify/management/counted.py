"""Until when was counted what a command prints from the figures."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from django_faceverify.figures import report


def say_counted(command: BaseCommand) -> None:
    """Beside the numbers, so that whoever reads those of a pipe gets only them."""
    counted_at = report.counted_at()
    command.stderr.write(
        f"Last counted: {counted_at:%Y-%m-%d %H:%M:%S %Z}"
        if counted_at
        else "Not everything has been counted yet: the sweep does it, or faceverify_figures."
    )
