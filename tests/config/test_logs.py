from __future__ import annotations

import logging

import apprise
import pytest

from config.logs import set_up_logs


def test_what_apprise_says_of_addresses_is_not_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(logging.getLogger("apprise"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("apprise"), "propagate", True)
    set_up_logs("INFO")

    logging.getLogger("other").warning("this gets out")
    apprise.Apprise.instantiate("twilio://ACaaaa:token@5551234/4915112345678")

    said = capsys.readouterr().err
    assert "this gets out" in said
    assert "5551234" not in said
