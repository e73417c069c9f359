"""Errors travel through queues: they must survive pickle and carry nothing personal."""

from __future__ import annotations

import pickle

import pytest

from django_faceverify import exceptions

ERRORS = [
    exceptions.FaceVerifyError("code"),
    exceptions.InputError("image_format", "image"),
    exceptions.Conflict("already_final"),
    exceptions.InProgress("request_in_progress"),
    exceptions.NotPermitted("own_case"),
    exceptions.QuotaExceeded("too_many_photos", 60.0),
    exceptions.SealBroken("seal_broken"),
    exceptions.NotSent("provider_unavailable"),
    exceptions.Throttled("provider_throttled", "15", "too often", 429, 30.0),
    exceptions.Refused("provider_config", "14"),
    exceptions.OutcomeUnknown("outcome_unknown", http_status=500),
    exceptions.ProtocolError("provider_protocol", "999"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_pickle_keeps_everything(error: exceptions.FaceVerifyError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)


def test_every_error_of_the_tree_is_tested() -> None:
    def tree(cls: type[Exception]) -> set[type[Exception]]:
        return {cls}.union(*(tree(child) for child in cls.__subclasses__()))

    ours = {
        cls for cls in tree(exceptions.FaceVerifyError) if cls.__module__ == exceptions.__name__
    }
    assert ours - {exceptions.ProviderError} == {type(error) for error in ERRORS}


def test_a_wrong_configuration_is_not_a_failed_call() -> None:
    assert not issubclass(exceptions.InvalidProvider, exceptions.FaceVerifyError)
