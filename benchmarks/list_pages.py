"""The pages that are measured, and a process that asks for them: ``python -m benchmarks.list_pages``.

It reads the name of a page from each line of its input and answers with a line of JSON: wall
and CPU milliseconds (its own, and those of its PostgreSQL backend). ``?`` is answered with the names of all pages, ``queries: NAME`` and ``plans: NAME``
with what the database is asked for a page, and what it then does. To measure one page more, add a line to
``console_pages`` or ``API_FILTERS``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.list_settings")
django.setup()

# Django has to be set up before these can be imported.
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from benchmarks.list_rows import IDCARD_NUMBER  # noqa: E402
from django_faceverify.console.paginator import COUNT_LIMIT  # noqa: E402
from django_faceverify.console.queue import PAGE, Mark  # noqa: E402
from django_faceverify.models import (  # noqa: E402
    Review,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)

ADMIN = "/admin/django_faceverify"
LIST = f"{ADMIN}/verification/"
ATTEMPTS = f"{ADMIN}/verificationattempt/"
DELIVERIES = f"{ADMIN}/webhookdelivery/"
FIGURES = f"{ADMIN}/dailyfigure/"
#: tables of the page of figures, one of each subject
CSV = ("similarities", "latency", "reviewers")
STOCK = "/stock/django_faceverify/verification/"
API = "/kyc/api/v1"
LAST_PAGE = COUNT_LIMIT // 50

#: name, list and query; each is measured on its first, middle and last page
API_FILTERS = (
    ("all", "verifications", ""),
    ("status, frequent", "verifications", "status=verified"),
    ("status, rare", "verifications", "status=in_review"),
    ("reason_code", "verifications", "reason_code=no_face"),
    ("level", "verifications", "level=strict"),
    ("provider", "verifications", "provider=second"),
    ("reference", "verifications", "reference=order-7"),
    ("session_id", "verifications", "session_id={session}"),
    ("similarity, 3 in 100", "verifications", "similarity_min=70&similarity_max=80"),
    ("similarity, 5 in 1000", "verifications", "similarity_min=58&similarity_max=69"),
    ("similarity_min", "verifications", "similarity_min=90"),
    ("similarity_max", "verifications", "similarity_max=50"),
    ("created_after", "verifications", "created_after={long_ago}"),
    ("created_before", "verifications", "created_before={long_ago}"),
    ("created, a day", "verifications", "created_after={day}&created_before={next_day}"),
    ("decided_after", "verifications", "decided_after={long_ago}"),
    ("decided_before", "verifications", "decided_before={long_ago}"),
    ("decided, a day", "verifications", "decided_after={day}&decided_before={next_day}"),
    ("attempts", "attempts", ""),
    ("attempts, session_id", "attempts", "session_id={session}"),
    ("deliveries", "webhook-deliveries", ""),
    ("deliveries, state", "webhook-deliveries", "state=dead"),
    ("deliveries, event", "webhook-deliveries", "event={event}"),
    ("deliveries, endpoint", "webhook-deliveries", "endpoint={endpoint}"),
    ("deliveries, verification", "webhook-deliveries", "verification={delivered}"),
)
#: by which column a list is ordered
ORDERS = {
    "verifications": "created_at", "attempts": "started_at", "webhook-deliveries": "occurred_at",
}  # fmt: skip


def console_pages(known: dict[str, Any]) -> dict[str, str]:
    """The admin's pages: name and address."""
    day = f"created_from={known['day'][:10]}&created_to={known['day'][:10]}"
    return {
        "list, first page": LIST,
        "list, middle page": f"{LIST}?p={LAST_PAGE // 2}",
        "list, last page": f"{LIST}?p={LAST_PAGE}",
        "review list": f"{LIST}?status__exact=in_review",
        "list, status": f"{LIST}?status__exact=verified",
        "list, last 7 days": f"{LIST}?created=week",
        "list, one day": f"{LIST}?{day}",
        "list, similarity": f"{LIST}?similarity=70",
        "list, empty band": f"{LIST}?similarity=60",
        "list, level": f"{LIST}?level=strict",
        "list, provider": f"{LIST}?provider=second",
        "list, reason": f"{LIST}?reason_code__exact=no_face",
        "list, user": f"{LIST}?user={known['user']}",
        "list, status and level": f"{LIST}?status__exact=verified&level=strict",
        "list, status and provider": f"{LIST}?status__exact=verified&provider=default",
        "list, status and reason, which exclude": (
            f"{LIST}?status__exact=verified&reason_code__exact=no_face"
        ),
        "list, status and band": f"{LIST}?status__exact=verified&similarity=90",
        "list, status and band, which exclude": f"{LIST}?status__exact=verified&similarity=70",
        "list, band and days": f"{LIST}?similarity=70&created=month",
        "list, level and days": f"{LIST}?level=default&created=month",
        "list, user and status": f"{LIST}?user={known['user']}&status__exact=verified",
        "list, three filters": f"{LIST}?status__exact=verified&level=default&provider=default",
        "search, id": f"{LIST}?q={known['case']}",
        "search, session id": f"{LIST}?q={known['session']}",
        "search, reference": f"{LIST}?q=order-7",
        "search, nothing": f"{LIST}?q=nobody-has-this",
        "case": f"{LIST}{known['case']}/change/",
        **queue_pages(known),
        **{f"figures, {days} days": f"{FIGURES}?days={days}" for days in (7, 30, 90)},
        "figures, level": f"{FIGURES}?days=90&level=strict",
        "figures, provider": f"{FIGURES}?days=90&provider=second",
        **{f"figures, {name} as CSV": f"{FIGURES}csv/{name}/?days=90" for name in CSV},
        **{f"policy, {weeks} weeks": f"{FIGURES}policy/?weeks={weeks}" for weeks in (1, 4, 13, 52)},
        "policy, level": f"{FIGURES}policy/?weeks=13&level=default",
        "policy, as CSV": f"{FIGURES}policy/csv/people/",
        "costs": f"{ATTEMPTS}costs/",
        "agreement": f"{ATTEMPTS}agreement/",
        "attempts": ATTEMPTS,
        "attempts, last page": f"{ATTEMPTS}?p={known['attempt_pages']}",
        "attempts, state": f"{ATTEMPTS}?state__exact=unknown",
        "attempts, billed": f"{ATTEMPTS}?is_billed__exact=unknown",
        "attempts, provider": f"{ATTEMPTS}?provider=second",
        "attempts, search": f"{ATTEMPTS}?q={known['session']}",
        "deliveries": DELIVERIES,
        "deliveries, state": f"{DELIVERIES}?state__exact=dead",
        "deliveries, search": f"{DELIVERIES}?q={known['delivered']}",
    }


def queue_pages(known: dict[str, Any]) -> dict[str, str]:
    """The queue of reviewers: its buckets, its filters, and its later pages.

    A filter finds a full page at each size or nothing; what is rare is compared where it fills one.
    """
    queue = f"{LIST}queue/"
    waiting, judged = f"{queue}?bucket=unassigned", f"{queue}?bucket=second"
    overdue = f"{queue}?bucket=overdue"
    pages = {
        "queue": queue,
        "queue, mine": f"{queue}?bucket=mine",
        "queue, second person": judged,
        "queue, overdue": overdue,
        "queue, level": f"{waiting}&level=default",
        "queue, reason": f"{waiting}&reason=id_photo_poor",
        "queue, reason of none": f"{waiting}&reason=deadline_passed",
        "queue, provider": f"{waiting}&provider=default",
        "queue, band": f"{waiting}&band=70-80",
        "queue, band of none": f"{waiting}&band=60-70",
        "queue, waiting for an hour": f"{waiting}&age=hour",
        "queue, waiting for days": f"{waiting}&age=days",
        "queue, level and reason": f"{waiting}&level=default&reason=id_photo_poor",
        "queue, second person, reason of none": f"{judged}&reason=deadline_passed",
        "queue, overdue, level": f"{overdue}&level=default",
        "queue, overdue, band of none": f"{overdue}&band=60-70",
        "queue, second page": f"{waiting}&after={known['second_page']}",
        "queue, far page": f"{waiting}&after={known['far_page']}",
        "queue, level, far page": f"{waiting}&level=default&after={known['far_page']}",
    }
    rare = {
        "queue, rare level": f"{waiting}&level=strict",
        "queue, rare provider": f"{waiting}&provider=second",
        "queue, rare level and reason": f"{waiting}&level=strict&reason=id_photo_poor",
        "queue, second person, rare level": f"{judged}&level=strict",
        "queue, rare level, far page": f"{waiting}&level=strict&after={known['far_page']}",
    }
    return pages | rare if known["has_full_pages_of_what_is_rare"] else pages


def stock_pages(known: dict[str, Any]) -> dict[str, str]:
    """The peers': name and address."""
    middle, last = known["count"] // 2, known["count"] - 25
    return {
        "stock: admin, first page": STOCK,
        "stock: admin, last page": f"{STOCK}?p={known['count'] // 100}",
        "stock: admin, status": f"{STOCK}?status__exact=in_review",
        "stock: admin, search": f"{STOCK}?q=order-7",
        "stock: api, first page": "/stock-api/?limit=25&offset=0",
        "stock: api, middle page": f"/stock-api/?limit=25&offset={middle}",
        "stock: api, last page": f"/stock-api/?limit=25&offset={last}",
    }


class Asking:
    """A reviewer at the admin and at the API, with everything that the addresses need."""

    def __init__(self) -> None:
        self.user = user = get_user_model().objects.get(username="reviewer")
        self.admin = Client()
        self.admin.force_login(user)
        self.api = APIClient()
        self.api.force_authenticate(user)
        hot = get_user_model().objects.get(username="person-0")
        self.person = APIClient()
        self.person.force_authenticate(hot)
        now = datetime.now(timezone.utc)
        count = Verification.objects.count()
        attempt = VerificationAttempt.objects.order_by("-started_at")[20]
        delivery = WebhookDelivery.objects.order_by("-occurred_at")[20]
        waiting = Review.objects.filter(stage=Review.Stage.FIRST).order_by("since", "pk")
        day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
        self.known: dict[str, Any] = {
            "case": attempt.verification_id,
            "session": attempt.session_id,
            "delivered": delivery.verification_id,
            "event": delivery.event,
            "endpoint": WebhookEndpoint.objects.get().pk,
            "user": hot.pk,
            "day": _text(day),
            "next_day": _text(day + timedelta(days=1)),
            "long_ago": _text(now - timedelta(days=50)),
            "has_full_pages_of_what_is_rare": waiting.filter(level="strict").count() > 10 * PAGE,
            "second_page": quote(str(Mark.at(waiting[PAGE - 1]))),
            "far_page": quote(str(Mark.at(waiting[waiting.count() * 3 // 4]))),
            "attempt_pages": min(LAST_PAGE, VerificationAttempt.objects.count() // 50),
            "count": count,
        }
        self.pages: dict[str, Callable[[], Any]] = {}
        for name, address in console_pages(self.known).items():
            self.pages[f"console: {name}"] = lambda at=address: self.admin.get(at)
        self.pages["console: queue, next case"] = self._next_case
        self.afterwards = {"console: queue, next case": self._release}
        self.pages["console: find by ID number"] = lambda: self.admin.post(
            f"{LIST}find/", {"idcard_number": IDCARD_NUMBER}
        )
        for name, place, query in API_FILTERS:
            self._add_list(f"api: {name}", self.api, place, query.format_map(self.known))
        self._add_list("api: one's own", self.person, "verifications", "")
        self._add_list("api: one's own, status", self.person, "verifications", "status=verified")
        self.pages["api: search by ID number"] = lambda: self.api.post(
            f"{API}/verifications/search/", {"idcard_number": IDCARD_NUMBER}, format="json"
        )
        self.pages["api: one case"] = lambda: self.api.get(
            f"{API}/verifications/{self.known['case']}/"
        )
        for name, address in stock_pages(self.known).items():
            self.pages[name] = lambda at=address: self.admin.get(at)

    def _next_case(self) -> Any:
        """Claims the oldest case and opens it."""
        return self.admin.post(f"{LIST}queue/next/", {"queue": ""}, follow=True)

    def _release(self) -> None:
        """Leaves the queue as it was found."""
        Review.objects.claimed_by(self.user).update(claimed_by=None, claimed_until=None)

    def _add_list(self, name: str, client: APIClient, place: str, query: str) -> None:
        """Its first, middle and last page, if there are as many."""
        if "similarity" in query:
            self._add_similar(name, client, f"{API}/{place}/?{query}")
            return
        order = "decided_at" if "decided" in query else ORDERS[place]
        address = f"{API}/{place}/?{query}"
        first = client.get(address).json()["results"]
        last = client.get(_at(address, "r=1")).json()["results"]
        self.pages[f"{name}, first page"] = lambda: client.get(address)
        if len(first) < 25:
            return
        newest, oldest = (datetime.fromisoformat(row[order]) for row in (first[0], last[-1]))
        middle = oldest + (newest - oldest) / 2
        ends = datetime.fromisoformat(last[10][order])
        for where, moment in (("middle", middle), ("last", ends)):
            page = _at(address, f"p={quote(str(moment))}")
            self.pages[f"{name}, {where} page"] = lambda at=page: client.get(at)

    def _add_similar(self, name: str, client: APIClient, address: str) -> None:
        """The same for lists that begin with the highest similarity."""
        first = client.get(address).json()["results"]
        last = client.get(_at(address, "r=1")).json()["results"]
        if len(first) < 25:
            raise AssertionError(f"{name} has no full page")
        middle = (first[0]["similarity"] + last[-1]["similarity"]) / 2
        self.pages[f"{name}, first page"] = lambda: client.get(address)
        for where, similarity in (("middle", middle), ("last", last[10]["similarity"])):
            page = _at(address, quote(f"p={similarity} {UUID(int=0)}", safe="="))
            self.pages[f"{name}, {where} page"] = lambda at=page: client.get(at)

    def measure(self, name: str) -> dict[str, Any]:
        page = self.pages[name]
        wall, cpu = time.perf_counter(), _cpu_ms()
        response = page()
        cpu, wall = _cpu_ms() - cpu, time.perf_counter() - wall
        self.afterwards.get(name, bool)()
        if response.status_code != 200:
            raise AssertionError(f"{name}: {response.status_code} {response.content!r:.300}")
        return {"ms": 1000 * wall, "cpu_ms": cpu}

    def queries(self, name: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            self.pages[name]()
        self.afterwards.get(name, bool)()
        return [query["sql"] for query in queries]

    def plans(self, name: str) -> list[list[str]]:
        """What PostgreSQL does for each query about our tables."""
        plans = []
        for sql in self.queries(name):
            if sql.startswith("SELECT") and "django_faceverify_" in sql:
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}")
                    plans.append([sql, *(line for (line,) in cursor.fetchall())])
        return plans


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _at(address: str, cursor: str) -> str:
    return f"{address}&cursor={quote(b64encode(cursor.encode()).decode())}"


def _cpu_ms() -> float:
    """Of this process, and of the PostgreSQL backend that works for it."""
    own = 1000 * time.process_time()
    if connection.vendor != "postgresql":
        return own
    backend = connection.connection.info.backend_pid
    nanoseconds = Path(f"/proc/{backend}/schedstat").read_text().split()[0]
    return own + int(nanoseconds) / 1e6


def main() -> None:
    asking = Asking()
    for line in sys.stdin:
        name = line.strip()
        answer: Any
        if name == "?":
            answer = list(asking.pages)
        elif name.startswith("queries: "):
            answer = asking.queries(name.removeprefix("queries: "))
        elif name.startswith("plans: "):
            answer = asking.plans(name.removeprefix("plans: "))
        else:
            answer = asking.measure(name)
        print(json.dumps(answer), flush=True)  # noqa: T201 (its output is its answer)


if __name__ == "__main__":
    main()
