"""Why a call failed, from the names, the texts and the status codes that real clients and SDKs use."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from otel_parallelism.failures import failure_of, failure_of_exception


@pytest.mark.parametrize(
    ("failure", "kinds"),
    [
        ("cancelled", ["CancelledError", "asyncio.CancelledError", "TaskCanceledException", "AbortError"]),
        ("timed_out", ["TimeoutError", "ReadTimeout", "DEADLINE_EXCEEDED", "504"]),
        ("rate_limited", ["429", "RateLimitError", "TooManyRequests", "ThrottlingException", "RESOURCE_EXHAUSTED"]),
        ("missing", ["404", "NotFoundError", "NoSuchKey", "ObjectDoesNotExist"]),
        ("failed", ["ValueError", "ConnectionAbortedError", "500", "", "tool_error"]),
    ],
)
def test_kinds_of_errors(failure: str, kinds: list[str]) -> None:
    assert [failure_of(kind) for kind in kinds] == [failure] * len(kinds)


def test_used_up_allowance_is_no_rate_limit() -> None:
    assert failure_of("RateLimitError", "You exceeded your current quota, check your plan and billing") == "failed"
    assert failure_of("RateLimitError", "Rate limit reached: 60 requests per minute") == "rate_limited"


class Refused(Exception):  # noqa: N818 - a name that tells nothing
    """An error of a client library; its own code must not run."""

    def __init__(self, **fields: object) -> None:
        super().__init__("no")
        vars(self).update(fields)

    @property
    def args(self) -> Any:  # type: ignore[override]
        raise RuntimeError

    __str__ = args.fget  # type: ignore[assignment]


def test_status_of_exceptions_is_read_without_their_code() -> None:
    assert failure_of_exception(Refused(status_code=429)) == "rate_limited"
    assert failure_of_exception(Refused(response=SimpleNamespace(status=404))) == "missing"
    assert failure_of_exception(Refused(status_code="429", response=object())) == "failed"
    assert failure_of_exception(asyncio.CancelledError()) == "cancelled"
    assert failure_of_exception(TimeoutError()) == "timed_out"
