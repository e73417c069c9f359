"""``manage.py faceverify_shadow``: do two providers say the same about the same photos?"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify.agreement import (
    BAND_NAMES,
    DAYS,
    ENOUGH_PAIRS,
    MOST_DAYS,
    VERDICTS,
    Comparison,
    Side,
    compare,
)
from django_faceverify.conf import app_settings
from django_faceverify.figures.report import Scope
from django_faceverify.figures.scale import Share
from django_faceverify.management.counted import say_counted


class Command(BaseCommand):
    help = (
        "Print how far the provider of a level and the second one that looks on agree: counts, "
        "shares with their intervals, times and costs. Nothing personal is in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=DAYS, help="how many, today included (%(default)s)"
        )
        parser.add_argument("--level", help="of this level only")
        parser.add_argument("--json", action="store_true", help="print one JSON list")

    def handle(self, **options: Any) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        if options["level"] not in (None, *app_settings.LEVELS):
            raise CommandError("There is no such level.")
        found = compare(Scope.of_last(options["days"], level=options["level"] or ""))
        say_counted(self)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(one) for one in found], indent=2))
        elif not found:
            self.stdout.write("No second provider has looked on in these days.")
        else:
            self.stdout.write("\n\n".join("\n".join(_as_text(one)) for one in found))


def _as_text(found: Comparison) -> list[str]:
    states = ", ".join(f"{state} {count}" for state, count in found.not_compared.items())
    lines = [
        f"level {found.level}: {found.provider} decides, {found.second} looks on",
        f"pairs               {found.pair_count}",
        f"without a pair      {states or 0}",
    ]
    if found.is_thin:
        lines.append(f"THIN DATA           below {ENOUGH_PAIRS} pairs, decide nothing by this")
    if not found.pair_count:
        return lines
    kappa = "-" if found.kappa is None else f"{found.kappa:.3f}"
    lines += [
        f"same verdict        {_share(found.agreement)}",
        f"both verify         {_share(found.both)}",
        f"only {found.provider:15}{_share(found.only_first)}",
        f"only {found.second:15}{_share(found.only_second)}",
        f"Cohen's kappa       {kappa}",
        "",
        _row(f"{found.provider} \\ {found.second}", VERDICTS),
        *(_row(one, row.values()) for one, row in found.table.items()),
        "",
        _row("similarity", BAND_NAMES),
        *(_row(name, row) for name, row in found.bands),
        "",
        *(_side(side) for side in found.sides),
    ]
    return lines


def _share(share: Share) -> str:
    return f"{share.count:>6}  {share.value or 0:6.1%}  ({share.low:.1%} to {share.high:.1%})"


def _row(name: str, cells: Any) -> str:
    return f"{name:20}" + "".join(f"{cell!s:>9}" for cell in cells)


def _side(side: Side) -> str:
    return (
        f"{side.provider:20}median {_ms(side.median_ms)}, 95 % within {_ms(side.slow_ms)}, "
        f"billed {side.billed}, unknown {side.unknown}, cost {side.cost:.2f}"
    )


def _ms(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds} ms"


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "level": found.level,
        "provider": found.provider,
        "second": found.second,
        "pairs": found.pair_count,
        "is_thin": found.is_thin,
        "states": found.states,
        "agreement": _share_as_json(found.agreement),
        "both_verify": _share_as_json(found.both),
        "only_first_verifies": _share_as_json(found.only_first),
        "only_second_verifies": _share_as_json(found.only_second),
        "kappa": found.kappa,
        "verdicts": found.table,
        "bands": {name: dict(zip(BAND_NAMES, row, strict=True)) for name, row in found.bands},
        "sides": [_side_as_json(side) for side in found.sides],
    }


def _side_as_json(side: Side) -> dict[str, Any]:
    names = ("provider", "median_ms", "slow_ms", "billed", "unknown")
    return {**{name: getattr(side, name) for name in names}, "cost": str(side.cost)}


def _share_as_json(share: Share) -> dict[str, Any]:
    return {
        "count": share.count,
        "share": share.value,
        "low": share.low,
        "high": share.high,
    }
