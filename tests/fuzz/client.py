"""A client that knows the text of the description, where the site is, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any
from urllib.parse import urljoin

import requests

TIMEOUT = 30


@dataclass(frozen=True)
class Client:
    """Calls operations by their names, as the description says they are called.

    ``credentials`` are for one of its security schemes, by its name.
    """

    described: dict[str, Any]
    origin: str
    credentials: dict[str, Any] = field(default_factory=dict, repr=False)

    def call(
        self, name: str, *, body: dict[str, Any] | None = None, **in_path: str
    ) -> requests.Response:
        """Ask for one operation; the answer must be one of those that are described."""
        path, method, operation = self._find(name)
        base = urljoin(self.origin, self.described["servers"][0]["url"])
        response = requests.request(
            method,
            base + path.format(**in_path),
            timeout=TIMEOUT,
            **self._signed_in(operation),
            **(self._encoded(operation, body) if body is not None else {}),
        )
        assert str(response.status_code) in operation["responses"], response.text
        return response

    def follow(self, name: str, *, seconds: float, **in_path: str) -> dict[str, Any]:
        """Ask again, as often as the answers say, until a status that is final."""
        end = monotonic() + seconds
        members = self._schema_of_answer(name, "200")["properties"]
        while True:
            response = self.call(name, body=None, **in_path)
            told: dict[str, Any] = response.json()
            if told["status"] in members["status"]["x-final"] or monotonic() > end:
                return told
            sleep(float(response.headers.get("Retry-After", 1)))

    def _find(self, name: str) -> tuple[str, str, dict[str, Any]]:
        for path, methods in self.described["paths"].items():
            for method, operation in methods.items():
                if operation["operationId"] == name:
                    return path, method, operation
        raise LookupError(name)

    def _signed_in(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The credentials in the way of the first scheme that we have some for."""
        schemes = self.described["components"]["securitySchemes"]
        for requirement in operation["security"]:
            for name in requirement:
                if name in self.credentials:
                    scheme = (schemes[name]["type"], schemes[name]["scheme"])
                    if scheme == ("http", "bearer"):
                        return {"headers": {"Authorization": f"Bearer {self.credentials[name]}"}}
                    assert scheme == ("http", "basic")
                    return {"auth": self.credentials[name]}
        raise AssertionError(f"nothing that we have opens {operation['operationId']}")

    def _encoded(self, operation: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """The body in JSON, or in a form where there is a file in it."""
        content = operation["requestBody"]["content"]
        if not any(isinstance(value, bytes) for value in body.values()):
            assert "application/json" in content
            return {"json": body}
        form = content["multipart/form-data"]
        members = self._resolved(form["schema"])["properties"]
        parts: list[tuple[str, tuple[str | None, Any, str]]] = []
        for name, value in body.items():
            kinds = form["encoding"].get(name, {}).get("contentType", "text/plain").split(", ")
            if members[name].get("format") == "binary":
                parts.append((name, ("file", value, kinds[0])))
            else:
                text = value if isinstance(value, str) else json.dumps(value)
                parts.append((name, (None, text, kinds[0])))
        return {"files": parts}

    def _schema_of_answer(self, name: str, status: str) -> dict[str, Any]:
        answer = self._find(name)[2]["responses"][status]
        return self._resolved(answer["content"]["application/json"]["schema"])

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        found: Any = self.described
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return dict(found)
