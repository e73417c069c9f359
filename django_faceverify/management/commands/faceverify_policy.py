"""``manage.py faceverify_policy``: other thresholds, tried on what has happened."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_faceverify import policy_lab
from django_faceverify.conf import app_settings
from django_faceverify.decision import Thresholds, Zone
from django_faceverify.figures.report import Scope
from django_faceverify.figures.scale import Share
from django_faceverify.management.counted import say_counted
from django_faceverify.policy_lab import Answer, Caution, Question, Trial

LINE = "{:20} {:>10} {:>10} {:>10} {:>10}"

SENTENCES = {
    Caution.NO_CASES: "No case of these weeks was compared.",
    Caution.FEW_CASES: f"Fewer than {policy_lab.FEW_CASES} cases.",
    Caution.NO_DECISIONS_ABOVE: "No person has decided a case that would be verified.",
    Caution.FEW_DECISIONS_ABOVE: f"Fewer than {policy_lab.FEW_DECISIONS} people's decisions on cases that would be verified.",
    Caution.NO_DECISIONS_BELOW: "No person has decided a case that would be turned down.",
    Caution.FEW_DECISIONS_BELOW: f"Fewer than {policy_lab.FEW_DECISIONS} people's decisions on cases that would be turned down.",
    Caution.BELOW_FLOOR: "The provider itself says no above this review line.",
}


class Command(BaseCommand):
    help = (
        "Try two thresholds on the cases of the last weeks: how many would be verified, reviewed "
        "and turned down, and what people decided about them. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--verify-at", type=float, help="try this line (as the settings say)")
        parser.add_argument("--review-at", type=float, help="try this line (as the settings say)")
        parser.add_argument("--provider", default="default", help="its alias (%(default)s)")
        parser.add_argument("--level", default="", help="of this level only (all)")
        parser.add_argument(
            "--weeks", type=int, default=13, help="how many, and this one so far (%(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        for name, known in (("provider", app_settings.PROVIDERS), ("level", app_settings.LEVELS)):
            if options[name] and options[name] not in known:
                raise CommandError(f"--{name}: there is no {options[name]!r} in the settings.")
        if not 0 <= options["weeks"] <= policy_lab.MOST_WEEKS:
            raise CommandError(f"--weeks must be from 0 to {policy_lab.MOST_WEEKS}.")
        now = policy_lab.thresholds_of(options["provider"], options["level"])
        lines = [
            getattr(now, name) if options[name] is None else options[name]
            for name in ("verify_at", "review_at")
        ]
        names = {name: options[name] for name in ("level", "provider")}
        scope = Scope.of_weeks(options["weeks"], **names)
        try:
            question = Question(scope, Thresholds(*lines))
        except ValueError as error:
            raise CommandError(str(error)) from None
        answer = policy_lab.ask(question)
        say_counted(self)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(answer), indent=2))
        else:
            self.show(answer)

    def show(self, answer: Answer) -> None:
        candidate = answer.question.candidate
        self.stdout.write(
            f"{answer.total} cases, {answer.changed} would be decided otherwise "
            f"(verified from {candidate.verify_at:g}, review from {candidate.review_at:g})"
        )
        self.stdout.write(LINE.format("decided then", "cases", *(f"-> {z.value}" for z in Zone)))
        for before in Zone:
            moved = (answer.moved[before, after] for after in Zone)
            self.stdout.write(LINE.format(before.value, answer.was[before], *moved))
        totals = (answer.trial.zones[zone] for zone in Zone)
        self.stdout.write(LINE.format("all", answer.total, *totals))
        self.stdout.write("")
        self.stdout.write(
            "similarity       cases   verified   rejected  (by people)  verified share"
        )
        for band in answer.bands:
            self.stdout.write(
                f"{band.low:5g} - {band.high:<5g} {band.cases:>9} {band.verified:>10} "
                f"{band.rejected:>10}               {_as_text(band.accepted)}"
            )
        self.stdout.write("")
        trial = answer.trial
        self.stdout.write(
            f"rejected by people, of those verified:    {_as_text(trial.wrongly_verified)}"
        )
        self.stdout.write(
            f"verified by people, of those turned down: {_as_text(trial.wrongly_refused)}"
        )
        self.stdout.write("")
        for caution in answer.cautions:
            self.stdout.write(f"Caution: {SENTENCES[caution]}")
        self.stdout.write(policy_lab.snippet(answer.question))


def as_json(answer: Answer) -> dict[str, Any]:
    question = answer.question
    return {
        "first": question.scope.first.isoformat(),
        "last": question.scope.last.isoformat(),
        "provider": question.scope.provider,
        "level": question.scope.level,
        "total": answer.total,
        "changed": answer.changed,
        "refused_by_provider": answer.by_provider,
        "was": {zone.value: answer.was[zone] for zone in Zone},
        "moved": {
            before.value: {after.value: answer.moved[before, after] for after in Zone}
            for before in Zone
        },
        "candidate": _trial(answer.trial),
        "neighbours": [_trial(trial) for trial in answer.neighbours],
        "bands": [
            {
                "from": band.low,
                "to": band.high,
                "cases": band.cases,
                "verified_by_people": band.verified,
                "rejected_by_people": band.rejected,
                "asked_again_by_people": band.asked_again,
                "verified_share": _share(band.accepted),
            }
            for band in answer.bands
        ],
        "cautions": [caution.value for caution in answer.cautions],
        "setting": policy_lab.snippet(question),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "verify_at": trial.thresholds.verify_at,
        "review_at": trial.thresholds.review_at,
        **{zone.value: trial.zones[zone] for zone in Zone},
        "wrongly_verified": _share(trial.wrongly_verified),
        "wrongly_refused": _share(trial.wrongly_refused),
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {
        "count": share.count,
        "total": share.total,
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _as_text(share: Share) -> str:
    if share.value is None:
        return "not known"
    low, high = share.interval
    return (
        f"{share.count} of {share.total} = {100 * share.value:.1f} % "
        f"({100 * low:.1f} % to {100 * high:.1f} %)"
    )
