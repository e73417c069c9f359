"""The pages of the reviewers' queue: what waits, the next case, claims, undoing, many at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from django_faceverify import access, intake, reviewing
from django_faceverify.console import cells
from django_faceverify.console.find import VerificationFinder
from django_faceverify.console.queue import PAGE, UNDOABLE_SHOWN, Mark, Queue, Selection, undoable
from django_faceverify.console.records import Pages
from django_faceverify.console.review import WORDINGS, sentence
from django_faceverify.exceptions import Conflict, InputError, NotPermitted
from django_faceverify.models import Review, Verification

#: what a program, such as our script, asks for instead of a page
JSON = "application/json"
STAGES = Review.Stage


class VerificationQueue(VerificationFinder):
    """Everything around the case page: how a reviewer comes to a case and on to the next."""

    queue_template = "django_faceverify/console/queue.html"
    decide_many_template = "django_faceverify/console/decide_many.html"

    def get_urls(self) -> list[URLPattern]:
        case = "<uuid:object_id>"
        pages: Pages = [
            ("queue", "queue/", self.queue_view),
            ("next", "queue/next/", self.next_view),
            ("decide_many", "queue/decide/", self.decide_many_view),
            ("claim", f"{case}/claim/", self.claim_view),
            ("release", f"{case}/release/", self.release_view),
            ("undo", f"{case}/undo/", self.undo_view),
        ]
        return self.routes("verification", pages) + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_review = access.may(request.user, access.REVIEW)
        tools = {"queue_url": self.page_url("verification", "queue") if may_review else ""}
        return super().changelist_view(request, tools | (extra_context or {}))

    @method_decorator(require_safe)
    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """What waits. Nothing is claimed by looking at it."""
        self._demand_reviewer(request)
        selection = Selection.of(request.GET)
        queue = self._queue(request, selection, request.GET.get("after", ""))
        context = {
            "selection": selection,
            "buckets": queue.buckets,
            "rows": [self._waiting(row, selection) for row in queue.page],
            "next_mark": queue.next_mark,
            "is_first_page": queue.after is None,
            "undoable": self.undoable(request, UNDOABLE_SHOWN),
            "decisions": [
                (decision, wording.button, reviewing.reasons_for(decision).items())
                for decision, wording in WORDINGS.items()
            ],
            "queue_url": self.page_url("verification", "queue"),
            "next_url": self.page_url("verification", "next"),
            "decide_many_url": self.page_url("verification", "decide_many"),
        }
        return self.page(request, self.queue_template, _("Cases in review"), context)

    @method_decorator(require_POST)
    def next_view(self, request: HttpRequest) -> HttpResponse:
        """Claim the next case of a bucket; a case that is named is put back before."""
        self._demand_reviewer(request)
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        after = ""
        if "case" in request.POST:
            left = self.visible(request, request.POST["case"])
            row = Review.objects.filter(pk=left.pk).first()
            after = str(Mark.at(row)) if row else ""
            reviewing.release(left, user=request.user)
        return self.go_on(request, selection, after)

    def go_on(self, request: HttpRequest, selection: Selection, after: str = "") -> HttpResponse:
        """To the next case of the same bucket and filters, or to the queue when there is none."""
        found = self._queue(request, selection, after).claim_next()
        if found is None:
            messages.info(request, _("No further case waits here."))
            return HttpResponseRedirect(self.queue_address(selection))
        self.opened(request, found)
        return HttpResponseRedirect(self.case_address(found, selection))

    def opened(self, request: HttpRequest, key: UUID) -> None:
        """A case of the queue is about to be shown."""

    @method_decorator(require_POST)
    def claim_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Take a case, or keep it for a while longer."""
        verification = self._reviewable(request, object_id)
        try:
            reviewing.claim(verification, user=request.user)
        except (Conflict, NotPermitted) as error:
            return self._answer(request, verification, sentence(error), 409)
        return self._answer(request, verification, "", 200)

    @method_decorator(require_POST)
    def release_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Put a case back."""
        verification = self._reviewable(request, object_id)
        reviewing.release(verification, user=request.user)
        if _wants_json(request):
            return JsonResponse({"refusal": ""})
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        return HttpResponseRedirect(self.queue_address(selection))

    @method_decorator(require_POST)
    def undo_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Take one's own judgement back; the case then is open for another one."""
        verification = self._reviewable(request, object_id)
        try:
            reviewing.undo(verification, user=request.user)
        except (Conflict, NotPermitted) as error:
            messages.error(request, sentence(error))
        else:
            case = self.short_id(verification)
            messages.success(request, _("Case %(case)s: undone.") % {"case": case})
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        return HttpResponseRedirect(self.case_address(verification.pk, selection))

    @method_decorator(require_POST)
    def decide_many_view(self, request: HttpRequest) -> HttpResponse:
        """The ticked cases: asks first, then says of each what became of it."""
        self._demand_reviewer(request)
        decision, _colon, reason_code = request.POST.get("judgement", "").partition(":")
        label = reviewing.reasons_for(decision).get(reason_code) if decision in WORDINGS else None
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        if label is None:
            messages.error(request, _("Please choose a decision with its reason."))
            return HttpResponseRedirect(self.queue_address(selection))
        is_done = "confirmed" in request.POST
        ticked = self._ticked(request)
        if not ticked:
            messages.error(request, _("Please tick the cases that you mean."))
            return HttpResponseRedirect(self.queue_address(selection))
        context = {
            "rows": [
                (
                    self.short_id(case),
                    self.case_address(case.pk, selection),
                    self._decide(request, case, seen_at, decision, reason_code) if is_done else "",
                )
                for case, seen_at in ticked
            ],
            "keys": [_tick(case.pk, seen_at) for case, seen_at in ticked],
            "is_done": is_done,
            "decision": WORDINGS[decision],
            "reason": label,
            "judgement": f"{decision}:{reason_code}",
            "selection": selection,
            "decide_many_url": self.page_url("verification", "decide_many"),
            "queue_url": self.queue_address(selection),
        }
        return self.page(request, self.decide_many_template, _("Decide several cases"), context)

    def case_address(self, key: UUID, selection: Selection | None = None) -> str:
        address = self.page_url("verification", "change", key)
        return f"{address}?{selection.query}" if selection else address

    def is_now(self, verification: Verification) -> str:
        return _("is now: %(status)s") % {"status": verification.get_status_display()}

    def judged(self, verification: Verification) -> str:
        """What became of a judgement, in words."""
        if verification.status != Verification.Status.IN_REVIEW:
            return self.is_now(verification)
        row = Review.objects.filter(pk=verification.pk).first()
        if row is None or row.stage == STAGES.FIRST:
            return _("is open again: you two do not agree")
        if row.stage == STAGES.SECOND:
            return _("waits for a second person")
        return _("is decided; it takes effect in a moment, unless you undo it")

    def _decide(
        self,
        request: HttpRequest,
        verification: Verification,
        seen_at: datetime,
        decision: str,
        reason_code: str,
    ) -> str:
        """Judge one of many; whatever becomes of it, the others are to be tried."""
        try:
            intake.review(
                verification,
                reviewer=request.user,
                decision=decision,
                reason_code=reason_code,
                seen_at=seen_at,
            )
        except (InputError, Conflict, NotPermitted) as error:
            return sentence(error)
        except DatabaseError:
            return _("not decided; please try again")
        return self.judged(verification)

    def _ticked(self, request: HttpRequest) -> list[tuple[Verification, datetime]]:
        """The cases that were ticked, each with the moment of its last change as it was seen."""
        seen: dict[UUID, datetime] = {}
        for text in request.POST.getlist("case")[:PAGE]:
            mark = Mark.read(text)
            if mark is None:
                raise BadRequest
            seen[mark.key] = mark.since
        cases = self.get_queryset(request).filter(pk__in=seen).order_by("created_at")
        return [(case, seen[case.pk]) for case in cases]

    def _queue(self, request: HttpRequest, selection: Selection, after: str = "") -> Queue:
        return Queue(request.user, selection, self.get_queryset(request), Mark.read(after))

    def queue_address(self, selection: Selection) -> str:
        return f"{self.page_url('verification', 'queue')}?{selection.query}"

    def _waiting(self, row: Review, selection: Selection) -> dict[str, Any]:
        case = row.verification
        return {
            "tick": _tick(case.pk, case.updated_at),
            "url": self.case_address(case.pk, selection),
            "case": self.id_and_level(case),
            "short_id": self.short_id(case),
            "reason": case.get_reason_code_display() if case.reason_code else cells.NOTHING,
            "similarity": cells.similarity(case),
            "provider": case.provider or cells.NOTHING,
            "since": row.since,
            "next_of": row.claimed_by if row.is_kept else None,
        }

    def undoable(self, request: HttpRequest, most: int) -> list[dict[str, Any]]:
        """The newest judgements of this person that can be taken back."""
        return [
            {
                "case": self.short_id(one.verification),
                "decision": WORDINGS[one.decision].button,
                "is_held": one.verification.review.stage == STAGES.HELD,
                "url": self.page_url("verification", "undo", one.verification.pk),
            }
            for one in undoable(request.user)[:most]
        ]

    def _answer(
        self, request: HttpRequest, verification: Verification, refusal: str, status: int
    ) -> HttpResponse:
        if _wants_json(request):
            return JsonResponse({"refusal": refusal}, status=status)
        if refusal:
            messages.error(request, refusal)
        selection = Selection.of(QueryDict(request.POST.get("queue", "")))
        return HttpResponseRedirect(self.case_address(verification.pk, selection))

    def _reviewable(self, request: HttpRequest, object_id: UUID) -> Verification:
        verification = self.visible(request, object_id)
        access.require_for(request.user, access.REVIEW, verification)
        return verification

    def _demand_reviewer(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        access.require(request.user, access.REVIEW)


def _tick(key: UUID, seen_at: datetime) -> str:
    """What a tick box holds: which case, and as of when."""
    return str(Mark(seen_at, key))


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", JSON]) == JSON
