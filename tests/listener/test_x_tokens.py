"""The token of an account on X is renewed in time, by one at a time, and what came is kept."""

from __future__ import annotations

import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from config.errors import InputError, TransientError
from listener.replier import Refusal, ReplyRefusedError, is_set_up, make_replier
from tests.networks import Networks

TEXT = "We are sorry & on it"
FIRST = "the-first-refresh-token"
PATH = "/2/oauth2/token"


@pytest.fixture(autouse=True)
def home(networks: Networks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    settings = {
        "HOME": str(tmp_path),
        "X_REFRESH_TOKEN": FIRST,
        "X_CLIENT_ID": "client",
        "X_CLIENT_SECRET": "the-client-secret",
        "X_BASE_URL": networks.x_url,
        "X_TIMEOUT_S": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"GROUNDSWELL_{name}", value)
    return tmp_path


def _file(home: Path) -> Path:
    [file] = [one for one in (home / "x-tokens").iterdir() if one.suffix == ".json"]
    return file


def _asked(networks: Networks) -> str:
    [external_id] = networks.control.add("x", [{"text": "my lamp smokes"}])
    return external_id


def _renewals(networks: Networks) -> int:
    return networks.control.count("x", PATH)


def _end(home: Path, **changes: object) -> None:
    """Let the kept token end, and other things be so in the file."""
    kept = orjson.loads(_file(home).read_bytes())
    _file(home).write_bytes(orjson.dumps(kept | {"ends_at": 0, "made_at": 0} | changes))


def test_a_token_is_fetched_kept_and_used_until_its_end(networks: Networks, home: Path) -> None:
    first = make_replier("x")
    first.post(_asked(networks), TEXT)
    make_replier("x").post(_asked(networks), TEXT)
    assert _renewals(networks) == 1

    _end(home)
    assert first.check() == "@nordlicht"
    assert first.post(_asked(networks), TEXT).external_id

    assert _renewals(networks) == 2
    assert stat.S_IMODE(_file(home).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "x-tokens").stat().st_mode) == 0o700
    assert FIRST not in _file(home).read_text("utf-8")


def test_a_client_without_a_secret_names_itself(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROUNDSWELL_X_CLIENT_SECRET")

    assert make_replier("x").check() == "@nordlicht"
    assert _renewals(networks) == 1


def test_of_several_workers_one_renews(networks: Networks, home: Path) -> None:
    make_replier("x").check()
    _end(home)

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda _: make_replier("x").check(), range(6)))

    assert said == ["@nordlicht"] * 6
    assert _renewals(networks) == 2


def test_a_token_that_x_takes_no_more_is_renewed_at_the_next_try(
    networks: Networks, home: Path
) -> None:
    replier, asked = make_replier("x"), _asked(networks)
    replier.check()
    kept = orjson.loads(_file(home).read_bytes())
    revoked = kept | {"access_token": "revoked", "made_at": 0}
    _file(home).write_bytes(orjson.dumps(revoked))

    with pytest.raises(TransientError, match="it is renewed"):
        replier.post(asked, TEXT)
    assert networks.control.count("x", "/2/tweets") == 1

    assert replier.post(asked, TEXT).external_id


def test_a_new_token_that_x_refuses_is_not_renewed_again_and_again(networks: Networks) -> None:
    replier = make_replier("x")
    replier.check()
    networks.control.fault("x", "status", path="/2/tweets", times=2, status=401, body="{}")

    for _ in range(2):
        with pytest.raises(ReplyRefusedError) as refused:
            replier.post(_asked(networks), TEXT)
        assert refused.value.refusal is Refusal.TOKEN
    assert _renewals(networks) == 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 503}),
        ("status", {"status": 429}),
        ("reset", {}),
        ("status", {"status": 200, "body": "<html>"}),
    ],
)
def test_what_is_no_answer_is_tried_again(
    networks: Networks, kind: str, options: dict[str, object]
) -> None:
    replier = make_replier("x")
    networks.control.fault("x", kind, path=PATH, **options)

    with pytest.raises(TransientError, match="did not renew"):
        replier.post(_asked(networks), TEXT)

    assert replier.post(_asked(networks), TEXT).external_id


def test_a_refresh_token_that_x_takes_no_more_is_said_without_quoting_it(
    networks: Networks, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_replier("x").check()
    _end(home, refresh_token="the-stale-token")

    with pytest.raises(ReplyRefusedError, match="takes the account's refresh token no more") as no:
        make_replier("x").check()

    assert no.value.refusal is Refusal.TOKEN
    assert "GROUNDSWELL_X_REFRESH_TOKEN" in str(no.value)
    assert not any(secret in str(no.value) for secret in (FIRST, "stale-token", "client-secret"))
    # A new one that is set begins anew.
    networks.control.reset()
    monkeypatch.setenv("GROUNDSWELL_X_REFRESH_TOKEN", "a-new-one")
    assert make_replier("x").check() == "@nordlicht"


def _check() -> None:
    make_replier("x").check()


def test_killed_between_the_renewal_and_its_keeping_says_what_to_do(
    networks: Networks, home: Path
) -> None:
    make_replier("x").check()
    _end(home)
    # X has answered its half: the process never reads it.
    networks.control.fault("x", "hang", path=PATH, share=0.5)
    worker = multiprocessing.get_context("fork").Process(target=_check)
    worker.start()
    while _renewals(networks) < 2:
        worker.join(0.01)
    worker.kill()
    worker.join()

    with pytest.raises(ReplyRefusedError, match="was broken off") as refused:
        make_replier("x").check()

    assert refused.value.refusal is Refusal.TOKEN
    assert "GROUNDSWELL_X_REFRESH_TOKEN" in str(refused.value)


def test_what_cannot_be_kept_is_not_asked_for(networks: Networks, home: Path) -> None:
    (home / "x-tokens").write_text("in the way", "utf-8")

    with pytest.raises(ReplyRefusedError, match="must be writable"):
        make_replier("x").check()

    assert _renewals(networks) == 0


def test_a_refresh_token_needs_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_set_up("x")
    monkeypatch.delenv("GROUNDSWELL_X_CLIENT_ID")

    with pytest.raises(InputError, match="missing: CLIENT_ID"):
        make_replier("x")
