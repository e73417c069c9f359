"""``manage.py faceverify_sandbox``: the sandbox with the credentials that this site uses."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify.conf import app_settings
from django_faceverify.faces import engine
from django_faceverify.faces.register import Register, RegisterUnusable
from django_faceverify.management.comparing import ComparingRegister
from django_faceverify.sandbox import DEFAULT_APPID, DEFAULT_SECRET_ID, DEFAULT_SECRET_KEY
from django_faceverify.sandbox.command_line import DEFAULT_PORT, serve


class Command(BaseCommand):
    help = (
        "Play the provider's HTTP service on this machine, for development and tests. It takes "
        "the credentials of this site's provider, and the ID number chooses its answers."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (%(default)s)"
        )
        parser.add_argument("--bill", metavar="FILE", help="keep the bill in this file")
        parser.add_argument(
            "--provider", default="default", metavar="ALIAS", help="whose credentials to accept"
        )
        parser.add_argument(
            "--register",
            metavar="FOLDER",
            help="compare the faces of the people in this folder (needs the extra local)",
        )
        parser.add_argument("--quiet", action="store_true", help="do not log each request")

    def handle(self, **options: Any) -> None:
        given = argparse.Namespace(
            **{name: options[name] for name in ("host", "port", "bill", "quiet")},
            **credentials(options["provider"]),
        )
        register = read_register(options["register"]) if options["register"] else None
        # It has its own lines for people; the site's log is about the site.
        logging.getLogger("django_faceverify.sandbox").propagate = False
        code = serve(given, self.stdout.write, self.stderr.write, register)
        if code:
            sys.exit(code)


def credentials(alias: str) -> dict[str, str]:
    """What the provider of that alias signs with; the sandbox's own where it names nothing."""
    if alias != "default" and alias not in app_settings.PROVIDERS:
        raise CommandError(f"FACEVERIFY['PROVIDERS'] has no provider {alias!r}.")
    options = app_settings.PROVIDERS.get(alias, {}).get("OPTIONS", {})
    defaults = {
        "appid": DEFAULT_APPID,
        "secret_id": DEFAULT_SECRET_ID,
        "secret_key": DEFAULT_SECRET_KEY,
    }
    return {name: _value(options.get(name)) or default for name, default in defaults.items()}


def read_register(folder: str) -> ComparingRegister:
    """The people of that folder and an engine that works, before anybody is answered."""
    missing = engine.missing_packages()
    if missing:
        raise CommandError(
            f"--register compares faces, and not installed is: {', '.join(missing)}. "
            "Run: pip install 'django-faceverify[local]'"
        )
    try:
        engine.load()
        return ComparingRegister(Register(folder))
    except (engine.EngineUnavailable, RegisterUnusable) as error:
        raise CommandError(f"--register cannot be used: {error}.") from None


def _value(option: Any) -> str:
    """An option as text; it may be a callable that fetches it."""
    value = option() if callable(option) else option
    return "" if value is None else str(value)
