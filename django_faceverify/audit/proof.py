"""An examination of the whole history: every chain, every root, every policy version.

One pass over the events, case by case, a page at a time; the roots' sums are taken on the
way. Its memory grows with the number of days, not with the number of events.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef

from django_faceverify import sealing
from django_faceverify.audit import chains, policy, purging, roots
from django_faceverify.audit.findings import Finding, Kind
from django_faceverify.audit.links import Link, chains_of, leaf_of, links_of
from django_faceverify.models import AuditRoot, Event, PolicyVersion, PurgedCase, Verification

#: cases of one page; each has a handful of events
PAGE = 500


def examine(since: date | None = None, noted: Sequence[str] = ()) -> Iterator[Finding]:
    """Everything that is not as it was written.

    With ``since``, only the roots of that day and later, and the cases with events since.
    ``noted`` are MACs of roots that were kept elsewhere and must still be there.
    """
    sums = _Sums(since)
    macs: dict[int, str] = {0: ""}
    yield from _policies(macs)
    for ids in _pages(sums.after if since else None):
        statuses = dict(Verification.objects.filter(pk__in=ids).values_list("pk", "status"))
        links = chains_of(list(statuses))
        yield from chains.examine_cases(statuses, links)
        for chain in links.values():
            sums.add(chain)
    yield from _strays(sums)
    yield from _purged(sums)
    yield from sums.compare(macs)
    yield from _lost(noted)
    first = roots.first_uncovered()
    if first is not None and roots.is_overdue(first):
        yield Finding(Kind.ROOT_OVERDUE, day=str(first.date()))


class _Sums:
    """The sums of the roots, taken again from what is there now."""

    def __init__(self, since: date | None) -> None:
        every = list(AuditRoot.objects.order_by("day"))
        self.roots = [root for root in every if since is None or root.day >= since]
        before = every[: len(every) - len(self.roots)]
        self.previous_mac = before[-1].mac if before else ""
        #: events up to this one belong to roots that are not looked at
        self.after = before[-1].last_event if before else 0
        self._bounds = [root.last_event for root in self.roots]
        self._tallies = [
            sealing.Tally(roots.USE, sealing.key_id_of(root.mac))
            if sealing.holds_key_of(root.mac)
            else None
            for root in self.roots
        ]
        self._case_counts = [0] * len(self.roots)

    def add(self, chain: Sequence[Link]) -> None:
        """Count the events of one case."""
        self.add_leaves([(link.id, link.leaf) for link in chain if link.leaf])

    def add_leaves(self, leaves: Sequence[tuple[int, tuple[bytes, ...]]]) -> None:
        touched = set()
        for id_, leaf in leaves:
            place = bisect_left(self._bounds, id_)
            if id_ <= self.after or place == len(self._bounds):
                continue
            touched.add(place)
            tally = self._tallies[place]
            if tally:
                tally.add(*leaf)
        for place in touched:
            self._case_counts[place] += 1

    def compare(self, policy_macs: dict[int, str]) -> Iterator[Finding]:
        """Each root against its sum, in the order of their days."""
        previous_mac = self.previous_mac
        for root, tally, case_count in zip(
            self.roots, self._tallies, self._case_counts, strict=True
        ):
            day = str(root.day)
            if tally is None:
                yield Finding(Kind.UNKNOWN_KEY, day=day)
            elif (tally.count, case_count) != (root.event_count, root.case_count):
                told = f"{root.event_count} events of {root.case_count} cases"
                found = f"{tally.count} of {case_count}"
                yield Finding(Kind.ROOT, day=day, detail=f"covers {told}; there are {found}")
            else:
                policy_mac = policy_macs.get(root.policy_number, "")
                parts = root.sealed_parts(previous_mac, policy_mac, tally.total())
                if not sealing.mac_matches(roots.USE, root.mac, *parts):
                    yield Finding(Kind.ROOT, day=day, detail="covers other events than these")
            previous_mac = root.mac


def _pages(after: int | None) -> Iterator[list[UUID]]:
    """The ids of all cases, or of those with events after that one; each once."""
    if after is None:
        yield from _pages_of_cases()
        return
    seen: set[UUID] = set()
    while rows := list(
        Event.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "verification")[:PAGE]
    ):
        after = rows[-1][0]
        new = {pk for _, pk in rows} - seen
        seen |= new
        yield sorted(new)


def _pages_of_cases() -> Iterator[list[UUID]]:
    cases = Verification.objects.order_by("pk").values_list("pk", flat=True)
    page = list(cases[:PAGE])
    while page:
        yield page
        page = list(cases.filter(pk__gt=page[-1])[:PAGE])


def _strays(sums: _Sums) -> Iterator[Finding]:
    """Events of cases that are not there."""
    case = Verification.objects.filter(pk=OuterRef("verification_id"))
    strays: dict[str, list[Link]] = {}
    for link in links_of(Event.objects.filter(~Exists(case), pk__gt=sums.after)):
        strays.setdefault(link.case, []).append(link)
    for name, chain in strays.items():
        yield Finding(Kind.NO_CASE, case=name, detail=f"{len(chain)} events")
        sums.add(chain)


def _purged(sums: _Sums) -> Iterator[Finding]:
    """The records of purged cases: genuine, and the case is gone."""
    case = Verification.objects.filter(pk=OuterRef("pk"))
    rows = PurgedCase.objects.annotate(is_there=Exists(case))
    for row in rows.order_by("pk").iterator(chunk_size=PAGE):
        if not sealing.mac_matches(purging.USE, row.mac, *row.sealed_parts()):
            yield Finding(Kind.PURGE, case=str(row.pk), detail="the record is not ours")
        elif row.is_there:
            yield Finding(Kind.PURGE, case=str(row.pk), detail="the case is there")
        else:
            sums.add_leaves(
                [(id_, leaf_of(row.pk, id_, number, mac)) for id_, number, mac in row.links]
            )


def _policies(macs: dict[int, str]) -> Iterator[Finding]:
    """The chain of policy versions; fills in their MACs by number."""
    previous_mac, expected = "", 1
    for version in PolicyVersion.objects.order_by("number"):
        fingerprint = hashlib.sha256(version.content.encode()).hexdigest()
        parts = version.sealed_parts(previous_mac)
        if version.number != expected:
            yield Finding(Kind.POLICY, number=expected, detail="missing")
        elif fingerprint != version.fingerprint or not sealing.mac_matches(
            policy.USE, version.mac, *parts
        ):
            yield Finding(Kind.POLICY, number=version.number, detail="changed")
        macs[version.number] = previous_mac = version.mac
        expected = version.number + 1


def _lost(noted: Sequence[str]) -> Iterator[Finding]:
    there = set(AuditRoot.objects.filter(mac__in=noted).values_list("mac", flat=True))
    for mac in noted:
        if mac not in there:
            yield Finding(Kind.ROOT_LOST, detail=mac)
