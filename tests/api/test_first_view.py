"""How heavy a first view is, what it asks for, and where people come back to."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from api.models import Role
from api.pages import FOLDER, static_path
from tests.api.conftest import ORIGIN, SignIn
from tests.api.scene import Scene

#: Compressed bytes of a first view, with style sheets and scripts, without the chart library.
MOST_BYTES = 150_000

#: What a browser fetches by itself.
_FETCHED = re.compile(r'<(?:link[^>]* href|script[^>]* src|img[^>]* src)="([^"]+)"')

#: Comes when a chart is near the screen (`charts.js`).
CHARTS = "/static/vendor/echarts.min.js"


def _compressed(client: TestClient, path: str) -> tuple[int, str]:
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = sum(len(chunk) for chunk in answer.iter_raw())
        assert answer.status_code == 200, path
    return raw, client.get(path).text


@pytest.mark.parametrize("page", ["/queue", "/incidents/{incident}", "/board", "/mentions/{first}"])
def test_a_first_view_is_light_and_asks_no_other_site(
    sign_in: SignIn, scene: Scene, page: str
) -> None:
    if not (FOLDER / "static" / "vendor" / "htmx.min.js").exists():
        pytest.skip("the console's libraries are not there; `pip install -e .` brings them")
    client = sign_in(Role.ADMIN)

    size, text = _compressed(client, page.format_map(vars(scene)))
    fetched = set(_FETCHED.findall(text))

    assert fetched
    assert [address for address in fetched if not address.startswith("/static/")] == []
    assert [address for address in fetched if address.startswith(CHARTS)] == []
    size += sum(_compressed(client, address)[0] for address in fetched)
    assert size < MOST_BYTES


def test_there_is_no_inline_script_or_style(sign_in: SignIn, scene: Scene) -> None:
    client = sign_in(Role.ADMIN)

    for page in ("/queue", f"/incidents/{scene.incident}", "/board", "/people", "/admin/system"):
        text = client.get(page).text
        assert re.findall(r"<[^>]+ style=", text) == []
        assert re.findall(r"<[a-z][^>]* on[a-z]+=", text) == []
        inline = re.findall(r"<script(?![^>]* src=)[^>]*>", text)
        assert [tag for tag in inline if 'type="application/json"' not in tag] == []


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer"])
def test_who_was_signed_out_in_a_form_comes_back_to_its_page(
    client: TestClient, scene: Scene, header: str
) -> None:
    page = f"/mentions/{scene.first}?part=reply"
    headers = {header: f"{ORIGIN}{page}"} | ({"HX-Request": "true"} if "HX" in header else {})

    answer = client.post(f"/incidents/{scene.incident}/acknowledge", headers=headers)

    where = answer.headers.get("hx-redirect") or answer.headers["location"]
    assert where == f"/sign-in?next={quote(page, safe='/')}"


def test_nobody_is_led_to_another_sites_page(client: TestClient, scene: Scene) -> None:
    for said in ("https://evil.example/queue", "http://[", "javascript:alert(1)"):
        answer = client.post(f"/incidents/{scene.incident}/acknowledge", headers={"Referer": said})
        assert answer.headers["location"] == "/sign-in"


def test_a_browser_fetches_a_file_once_until_it_changes(client: TestClient) -> None:
    address = static_path("app.css")

    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    for other in ("/static/app.css", "/static/app.css?v=000000000000", "/static/app.css?v="):
        assert client.get(other).headers["cache-control"] == "no-cache"
    tag = client.get(address).headers["etag"]
    unchanged = client.get(address, headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert "immutable" in unchanged.headers["cache-control"]
    assert client.get("/static/nothing.css?v=missing").status_code == 404
