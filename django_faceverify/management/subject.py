"""What the commands about one person share: whom they are about, and who asks.

An ID number is never an argument, so that no history of a shell and no list of processes
holds it: it is typed at a prompt that does not show it, piped in, or read from a file.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from django_faceverify import dossier, lifecycle
from django_faceverify.exceptions import InputError
from django_faceverify.models import Verification

#: how a command ends when what it was given cannot be used, and when it finds nobody
UNUSABLE, NOBODY = 2, 3
#: characters; more is no file with an ID number in it
MOST_TYPED = 1000


def add_arguments(parser: CommandParser) -> None:
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--idcard-number-file",
        metavar="FILE",
        help="a file that holds the ID number, - for standard input (asked for without it)",
    )
    whom.add_argument("--user", help="the user name of the account that opened the cases")
    whom.add_argument("--verification", metavar="ID", help="one case by its id")
    parser.add_argument("--by", metavar="USER", help="your user name on this site, for the history")


@sensitive_variables("number")
def cases(options: dict[str, Any]) -> QuerySet[Verification]:
    """The cases that are meant; ``CommandError`` (2, 3) when that is unclear or none."""
    by_number = options["user"] is None and options["verification"] is None
    number = _idcard_number(options["idcard_number_file"]) if by_number else None
    try:
        found = dossier.cases_of(
            idcard_number=number, user=options["user"], verification=options["verification"]
        )
    except InputError as error:
        raise CommandError(f"This is no ID number ({error.code}).", returncode=UNUSABLE) from None
    if not found.exists():
        raise CommandError("There is no such case.", returncode=NOBODY)
    return found


def acting_user(options: dict[str, Any]) -> Any:
    """The user who is named as the one who acts; ``None`` for the machine itself."""
    if options["by"] is None:
        return None
    users = get_user_model()._default_manager
    try:
        return users.get_by_natural_key(options["by"])
    except get_user_model().DoesNotExist:
        raise CommandError("There is no user of the name in --by.", returncode=UNUSABLE) from None


def actor_of(user: Any) -> str:
    return lifecycle.SYSTEM if user is None else lifecycle.user_actor(user)


@sensitive_variables()
def _idcard_number(path: str | None) -> str:
    if path == "-" or (path is None and not sys.stdin.isatty()):
        return sys.stdin.read(MOST_TYPED).strip()
    if path is None:
        return getpass("ID number (not shown): ").strip()
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(MOST_TYPED).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"The file cannot be read ({type(error).__name__}).", returncode=UNUSABLE
        ) from None
