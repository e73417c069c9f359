"""The example of a third provider keeps the contract, with no more than this."""

from __future__ import annotations

import json
from typing import Any

from django_faceverify.testing.contract import SESSION_ID, ProviderContract
from example_project.baidu import BaiduProvider


class TestBaiduProvider(ProviderContract):
    echoes_session_id = False

    def provider(self, endpoint: str, **options: Any) -> BaiduProvider:
        given = {"access_token": "canary-secret", "endpoint": endpoint, **options}
        return BaiduProvider("baidu", **given)

    def says(self, similarity: object, session_id: str = SESSION_ID) -> bytes:
        return json.dumps({"error_code": 0, "result": {"score": similarity}}).encode()
