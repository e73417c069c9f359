"""``providers[alias]``: built from the settings at first use, with errors that help."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.test import override_settings

from django_faceverify.exceptions import FaceVerifyError, InvalidProvider
from django_faceverify.providers import providers
from django_faceverify.providers.base import Comparison, Provider
from django_faceverify.providers.qcloud import QcloudProvider
from django_faceverify.testing.contract import everything_in

QCLOUD = "django_faceverify.providers.qcloud.QcloudProvider"
OPTIONS = {"appid": "1", "secret_id": "an-id", "secret_key": "canary-key"}


class Picky(Provider):
    max_image_bytes = 1

    def __init__(self, alias: str, *, word: str) -> None:
        super().__init__(alias)
        raise ValueError(f"not {word}")

    def compare(self, request: Any, *, about_to_send: Any) -> Comparison:
        raise NotImplementedError


def configured(**entries: Any) -> Any:
    return override_settings(FACEVERIFY={"PROVIDERS": entries})


def entry(backend: object = QCLOUD, **options: Any) -> dict[str, Any]:
    return {"BACKEND": backend, "OPTIONS": OPTIONS | options}


def test_alias_becomes_a_provider_and_stays_the_same() -> None:
    with configured(default=entry(), second=entry(timeout=7)):
        assert isinstance(providers["default"], QcloudProvider)
        assert providers["default"] is providers["default"]
        assert providers["default"].alias == "default"
        assert providers["second"].timeout == 7
        assert sorted(providers) == ["default", "second"]
        assert [provider.alias for provider in providers.all()] == ["default", "second"]


def test_each_thread_has_its_own() -> None:
    others: list[Provider] = []
    with configured(default=entry()):
        thread = threading.Thread(target=lambda: others.append(providers["default"]))
        thread.start()
        thread.join()
        assert others[0] is not providers["default"]


def test_overridden_settings_are_seen_and_forgotten() -> None:
    with configured(default=entry(timeout=7)):
        first = providers["default"]
        with configured(default=entry(timeout=8)):
            assert providers["default"].timeout == 8
        assert providers["default"].timeout == 7
        assert providers["default"] is not first


def test_other_settings_do_not_rebuild() -> None:
    with configured(default=entry()):
        first = providers["default"]
        with override_settings(DEBUG=True):
            assert providers["default"] is first


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("not a dict", ["dicts"]),
        ({"BACKEND": QCLOUD, "OPTIONS": "canary-key"}, ["dicts"]),
        ({}, ["BACKEND", "dotted path"]),
        (entry(7), ["BACKEND", "dotted path"]),
        (entry("nowhere.Nothing"), ["nowhere"]),
        (entry("django_faceverify.providers.qcloud.Nothing"), ["Nothing"]),
        (entry("django_faceverify.providers.qcloud.sign"), ["sign", "not a Provider"]),
        (entry("django.http.HttpRequest"), ["HttpRequest", "not a Provider"]),
        (entry(secretkey="canary-key"), ["'secretkey'", "secret_key, endpoint"]),
        (entry(alias="canary-key"), ["alias"]),
        (
            {"BACKEND": f"{__name__}.Picky", "OPTIONS": {"word": "canary-key"}},
            ["Picky", "ValueError"],
        ),
        ({"BACKEND": f"{__name__}.Picky"}, ["Picky", "'word'"]),
        ({"BACKEND": "django_faceverify.providers.base.Provider"}, ["Provider"]),
    ],
    ids=lambda value: str(value)[:60],
)
def test_broken_entry_is_named_without_its_values(broken: Any, words: list[str]) -> None:
    with configured(default=broken), pytest.raises(InvalidProvider) as caught:
        providers["default"]
    text = str(caught.value)
    assert "'default'" in text
    assert [word for word in words if word not in text] == []
    assert "canary-key" not in " ".join(everything_in(caught.value))


def test_unknown_alias_lists_the_known_ones() -> None:
    with configured(default=entry(), second=entry()), pytest.raises(InvalidProvider) as caught:
        providers["secnd"]
    assert "'secnd'" in str(caught.value)
    assert "'default', 'second'" in str(caught.value)


def test_no_providers_at_all() -> None:
    with configured(), pytest.raises(InvalidProvider, match="none"):
        providers["default"]


def test_wrong_configuration_is_not_a_failed_call() -> None:
    assert not issubclass(InvalidProvider, FaceVerifyError)
