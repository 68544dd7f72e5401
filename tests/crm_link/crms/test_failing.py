"""What every CRM that is called over HTTP must do when it fails, limits or refuses."""

from __future__ import annotations

import pytest

from config.errors import InputError, PermanentError, TransientError
from crm_link.crm import Crm, make_crm
from tests.crm_link.crms.records import fill, number, read, update
from tests.crm_link.crms.server import Answer, FakeCrm

_LIMITS: dict[str, Answer] = {
    "hubspot": (429, {"policyName": "TEN_SECONDLY_ROLLING"}, {"Retry-After": "0"}),
    "salesforce": (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]),
    "zoho": (429, {"code": "TOO_MANY_REQUESTS"}, {"Retry-After": "0"}),
}


def test_a_limit_is_waited_for_when_reading_and_said_when_writing(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.setup()
    fake.faults = [("", _LIMITS[fake.name])]
    if fake.name == "salesforce":
        # A rolling day cannot be waited for: it is said at once.
        with pytest.raises(TransientError, match="used up") as caught:
            read(crm)
        assert caught.value.retry_after_s == 900
    else:
        assert len(read(crm)[0]) == 1
    fake.faults = [("", _LIMITS[fake.name])]
    with pytest.raises(TransientError, match="used up"):
        crm.write([update(number(0))])


def test_a_server_that_fails_is_tried_again_when_reading(
    fake: FakeCrm, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_link.calls.rest.DEFAULT_WAIT_S", 0.01)
    fill(fake, 1)
    crm.check()
    fake.faults = [("", (503, None)), ("", (502, {"a": 1}))]

    assert len(read(crm)[0]) == 1


def test_an_expired_token_is_renewed_once(fake: FakeCrm, crm: Crm) -> None:
    fill(fake, 1)
    crm.check()
    fake.expire()
    if fake.name == "hubspot":
        # A private app's token does not change by itself.
        with pytest.raises(PermanentError, match="token"):
            crm.check()
        return

    assert len(read(crm)[0]) == 1


def test_what_is_not_there_is_a_failure_that_may_pass(
    fake: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_link.calls.rest.DEFAULT_WAIT_S", 0.01)
    monkeypatch.setenv(f"GROUNDSWELL_{fake.name.upper()}_BASE_URL", "http://127.0.0.1:9")

    crm = make_crm(fake.name)
    with pytest.raises(TransientError, match="did not answer"):
        crm.check()
    crm.close()


def test_a_missing_setting_is_named(fake: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fake.environment():
        monkeypatch.delenv(name)

    with pytest.raises(InputError, match=f"GROUNDSWELL_{fake.name.upper()}_"):
        make_crm(fake.name)
