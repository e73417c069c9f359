"""The client of the chaos run's provider, which can be asked."""

from __future__ import annotations

import requests

from django_faceverify.providers.answer import read_object
from django_faceverify.providers.base import Comparison, NeverSeen
from django_faceverify.providers.qcloud import QcloudProvider


class AskableProvider(QcloudProvider):
    """As the real one, and it tells afterwards what became of a call."""

    can_be_asked = True
    visibility_delay = 3.0

    def find(self, session_id: str) -> Comparison | NeverSeen | None:
        request = requests.Request("GET", self.endpoint, params={"session_id": session_id})
        answer = self.exchange(request.prepare(), lambda: None)
        content = read_object(answer.body)
        if answer.status != 200 or content is None:
            return None
        if not content["is_known"]:
            return NeverSeen()
        return Comparison(similarity=content["similarity"], http_status=answer.status)
