"""Who may do what: one table for every route, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount, Route

from api.models import Role
from tests.api.conftest import SignIn

#: (method, path) -> the least role that may; None: everybody, signed in or not.
LEAST_ROLE: dict[tuple[str, str], Role | None] = {
    ("GET", "/"): None,
    ("GET", "/healthz"): None,
    ("GET", "/api/v1/openapi.json"): None,
    ("GET", "/sign-in"): None,
    ("POST", "/sign-in"): None,
    ("POST", "/sign-in/demo"): None,
    ("POST", "/sign-out"): None,
    ("GET", "/queue"): Role.VIEWER,
    ("GET", "/queue/fresh"): Role.VIEWER,
    ("GET", "/events"): Role.VIEWER,
    ("GET", "/s/{token}"): None,
    ("GET", "/protocol"): Role.VIEWER,
    ("GET", "/protocol/edit"): Role.PR_LEAD,
    ("POST", "/protocol/check"): Role.PR_LEAD,
    ("POST", "/protocol"): Role.PR_LEAD,
    ("GET", "/protocol/versions/{edit_id}"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/shares"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/shares/{share_id}/revoke"): Role.PR_LEAD,
    ("GET", "/queue/{mention_id}/card"): Role.VIEWER,
    ("GET", "/queue/{mention_id}/reply"): Role.VIEWER,
    ("POST", "/queue/changes"): Role.COMMUNITY_MANAGER,
    ("POST", "/queue/changes/{batch}/undo"): Role.COMMUNITY_MANAGER,
    ("POST", "/queue/views"): Role.VIEWER,
    ("POST", "/queue/views/{view_id}/remove"): Role.VIEWER,
    ("POST", "/mentions/{mention_id}/priority"): Role.COMMUNITY_MANAGER,
    ("GET", "/mentions"): Role.VIEWER,
    ("GET", "/mentions/{mention_id}"): Role.VIEWER,
    ("GET", "/mentions/{mention_id}/why"): Role.VIEWER,
    ("POST", "/mentions/{mention_id}/correct"): Role.COMMUNITY_MANAGER,
    ("POST", "/mentions/{mention_id}/undo-correction"): Role.COMMUNITY_MANAGER,
    ("GET", "/incidents"): Role.VIEWER,
    ("GET", "/incidents/{incident_id}"): Role.VIEWER,
    ("GET", "/incidents/{incident_id}/why"): Role.VIEWER,
    ("GET", "/api/v1/incidents/{incident_id}/why"): Role.VIEWER,
    ("GET", "/api/v1/figures"): Role.VIEWER,
    ("POST", "/incidents/{incident_id}/acknowledge"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/note"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/escalate"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/resolve"): Role.PR_LEAD,
    ("GET", "/incidents/{incident_id}/report"): Role.VIEWER,
    ("GET", "/incidents/{incident_id}/report.{form}"): Role.VIEWER,
    ("POST", "/incidents/{incident_id}/review"): Role.PR_LEAD,
    ("GET", "/people"): Role.VIEWER,
    ("GET", "/people/{contact_id}"): Role.VIEWER,
    ("POST", "/people/{contact_id}/split"): Role.COMMUNITY_MANAGER,
    ("GET", "/links/{link_id}"): Role.VIEWER,
    ("GET", "/people/segments"): Role.VIEWER,
    ("GET", "/reports"): Role.VIEWER,
    ("GET", "/reports/{kind}"): Role.VIEWER,
    ("GET", "/reports/{kind}.{form}"): Role.VIEWER,
    ("POST", "/reports/schedules"): Role.PR_LEAD,
    ("POST", "/reports/schedules/{schedule_id}/end"): Role.PR_LEAD,
    ("POST", "/reports/schedules/{schedule_id}/send"): Role.PR_LEAD,
    ("POST", "/reports/mails/{mail_id}/retry"): Role.PR_LEAD,
    ("GET", "/api/v1/reports/{kind}.{form}"): Role.VIEWER,
    ("GET", "/api/v1/response-times"): Role.VIEWER,
    ("GET", "/api/v1/report-schedules"): Role.VIEWER,
    ("POST", "/api/v1/report-schedules"): Role.PR_LEAD,
    ("POST", "/api/v1/report-schedules/{schedule_id}/end"): Role.PR_LEAD,
    ("POST", "/api/v1/report-schedules/{schedule_id}/send"): Role.PR_LEAD,
    ("GET", "/api/v1/report-mails"): Role.VIEWER,
    ("POST", "/api/v1/report-mails/{mail_id}/retry"): Role.PR_LEAD,
    ("GET", "/people/segments/{name}.csv"): Role.VIEWER,
    ("POST", "/people/segments/persona"): Role.PR_LEAD,
    ("GET", "/api/v1/figures/people"): Role.VIEWER,
    ("GET", "/api/v1/figures/audience"): Role.VIEWER,
    ("PUT", "/api/v1/figures/persona"): Role.PR_LEAD,
    ("GET", "/links/decided"): Role.VIEWER,
    ("GET", "/api/v1/links/cases"): Role.VIEWER,
    ("GET", "/api/v1/people"): Role.VIEWER,
    ("GET", "/api/v1/people/{contact_id}"): Role.VIEWER,
    ("POST", "/api/v1/people/{contact_id}/split"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/hooks/{crm}"): None,
    ("GET", "/admin/crm"): Role.ADMIN,
    ("POST", "/admin/crm/dead/retry"): Role.ADMIN,
    ("POST", "/admin/crm/dead/{letter_id}/retry"): Role.ADMIN,
    ("POST", "/admin/crm/dead/{letter_id}/drop"): Role.ADMIN,
    ("GET", "/api/v1/crm"): Role.ADMIN,
    ("GET", "/api/v1/crm/dead"): Role.ADMIN,
    ("POST", "/api/v1/crm/dead/retry"): Role.ADMIN,
    ("POST", "/api/v1/crm/dead/{letter_id}/retry"): Role.ADMIN,
    ("POST", "/api/v1/crm/dead/{letter_id}/drop"): Role.ADMIN,
    ("POST", "/people/{contact_id}/consents"): Role.COMMUNITY_MANAGER,
    ("POST", "/people/{contact_id}/consents/{consent_id}/revoke"): Role.COMMUNITY_MANAGER,
    ("POST", "/people/{contact_id}/opt-out"): Role.COMMUNITY_MANAGER,
    ("POST", "/people/{contact_id}/opt-in"): Role.COMMUNITY_MANAGER,
    ("POST", "/people/{contact_id}/opt-out-account"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/contacts/{contact_id}/consents"): Role.VIEWER,
    ("POST", "/api/v1/contacts/{contact_id}/consents"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/contacts/{contact_id}/consents/{consent_id}/revoke"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/contacts/{contact_id}/opt-out"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/contacts/{contact_id}/opt-in"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/opt-outs"): Role.COMMUNITY_MANAGER,
    ("GET", "/admin/privacy"): Role.ADMIN,
    ("POST", "/admin/privacy/look"): Role.ADMIN,
    ("POST", "/admin/privacy/erase"): Role.ADMIN,
    ("POST", "/admin/privacy/export"): Role.ADMIN,
    ("GET", "/admin/privacy/{erasure_id}"): Role.ADMIN,
    ("GET", "/api/v1/privacy/erasures"): Role.ADMIN,
    ("GET", "/api/v1/privacy/erasures/{erasure_id}"): Role.ADMIN,
    ("POST", "/api/v1/privacy/erasures/preview"): Role.ADMIN,
    ("POST", "/api/v1/privacy/erasures"): Role.ADMIN,
    ("POST", "/api/v1/privacy/export"): Role.ADMIN,
    ("POST", "/api/v1/privacy/gone"): Role.ADMIN,
    ("GET", "/drills"): Role.VIEWER,
    ("POST", "/drills"): Role.PR_LEAD,
    ("POST", "/drills/replay/{incident_id}"): Role.PR_LEAD,
    ("POST", "/drills/{drill_id}/stop"): Role.PR_LEAD,
    ("GET", "/a/{token}"): None,
    ("POST", "/a/{token}"): None,
    ("GET", "/on-call"): Role.VIEWER,
    ("POST", "/on-call/overrides"): Role.PR_LEAD,
    ("POST", "/on-call/overrides/{override_id}/remove"): Role.PR_LEAD,
    ("POST", "/on-call/test"): Role.PR_LEAD,
    ("GET", "/silences"): Role.VIEWER,
    ("POST", "/silences/preview"): Role.VIEWER,
    ("POST", "/silences"): Role.PR_LEAD,
    ("POST", "/silences/{silence_id}/end"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/assessment"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/severity"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/said"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/tasks/{key}/done"): Role.COMMUNITY_MANAGER,
    ("POST", "/incidents/{incident_id}/tasks/{key}/undo"): Role.COMMUNITY_MANAGER,
    ("POST", "/incidents/{incident_id}/claims/{claim_id}/verdict"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/claims/{claim_id}/merge"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/statements"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/statements/{statement_id}/approve"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/statements/{statement_id}/reject"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/statements/{statement_id}/withdraw"): Role.PR_LEAD,
    ("POST", "/incidents/{incident_id}/statements/{statement_id}/publish"): Role.PR_LEAD,
    ("POST", "/mentions/{mention_id}/class"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/incidents/{incident_id}/playbook"): Role.VIEWER,
    ("POST", "/api/v1/incidents/{incident_id}/assessment"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/severity"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/said"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/tasks/{key}/done"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/incidents/{incident_id}/tasks/{key}/undo"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/incidents/{incident_id}/claims"): Role.VIEWER,
    ("POST", "/api/v1/incidents/{incident_id}/claims/{claim_id}/verdict"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/claims/{claim_id}/merge"): Role.PR_LEAD,
    ("GET", "/api/v1/incidents/{incident_id}/statements"): Role.VIEWER,
    ("POST", "/api/v1/incidents/{incident_id}/statements"): Role.PR_LEAD,
    ("POST", "/api/v1/statements/{statement_id}/approve"): Role.PR_LEAD,
    ("POST", "/api/v1/statements/{statement_id}/reject"): Role.PR_LEAD,
    ("POST", "/api/v1/statements/{statement_id}/withdraw"): Role.PR_LEAD,
    ("POST", "/api/v1/statements/{statement_id}/publish"): Role.PR_LEAD,
    ("GET", "/api/v1/mentions/{mention_id}/protocol"): Role.VIEWER,
    ("POST", "/api/v1/mentions/{mention_id}/class"): Role.COMMUNITY_MANAGER,
    ("GET", "/board"): Role.VIEWER,
    ("GET", "/board/{chart}.csv"): Role.VIEWER,
    ("GET", "/api/v1/board"): Role.VIEWER,
    ("GET", "/board/topics"): Role.VIEWER,
    ("GET", "/board/signals"): Role.VIEWER,
    ("GET", "/board/reach"): Role.VIEWER,
    ("GET", "/links"): Role.VIEWER,
    ("POST", "/links/{link_id}/confirm"): Role.COMMUNITY_MANAGER,
    ("POST", "/links/{link_id}/reject"): Role.COMMUNITY_MANAGER,
    ("POST", "/links/{link_id}/undo"): Role.COMMUNITY_MANAGER,
    ("GET", "/listening"): Role.VIEWER,
    ("GET", "/listening/{key}"): Role.VIEWER,
    ("POST", "/listening/{key}/check"): Role.VIEWER,
    ("POST", "/listening/{key}/try"): Role.VIEWER,
    ("POST", "/listening/{key}"): Role.ADMIN,
    ("POST", "/api/v1/brands/{key}/query/check"): Role.VIEWER,
    ("POST", "/api/v1/brands/{key}/query/preview"): Role.VIEWER,
    ("PUT", "/api/v1/brands/{key}/query"): Role.ADMIN,
    ("GET", "/sources"): Role.VIEWER,
    ("GET", "/users"): Role.ADMIN,
    ("POST", "/users"): Role.ADMIN,
    ("POST", "/users/{user_id}/role"): Role.ADMIN,
    ("POST", "/users/{user_id}/active"): Role.ADMIN,
    ("GET", "/account"): Role.VIEWER,
    ("GET", "/admin/keys"): Role.ADMIN,
    ("POST", "/admin/keys/{key_id}/revoke"): Role.ADMIN,
    ("GET", "/admin/audit"): Role.ADMIN,
    ("GET", "/admin/audit.csv"): Role.ADMIN,
    ("GET", "/admin/system"): Role.ADMIN,
    ("GET", "/admin/teams"): Role.ADMIN,
    ("POST", "/admin/teams"): Role.ADMIN,
    ("POST", "/admin/teams/{team_id}"): Role.ADMIN,
    ("POST", "/admin/teams/{team_id}/delete"): Role.ADMIN,
    ("GET", "/api/v1/teams"): Role.ADMIN,
    ("POST", "/api/v1/teams"): Role.ADMIN,
    ("PUT", "/api/v1/teams/{team_id}"): Role.ADMIN,
    ("DELETE", "/api/v1/teams/{team_id}"): Role.ADMIN,
    ("GET", "/sign-in/sso"): None,
    ("GET", "/sign-in/sso/callback"): None,
    ("POST", "/account/password"): Role.VIEWER,
    ("POST", "/account/reading"): Role.VIEWER,
    ("POST", "/account/zone"): Role.VIEWER,
    ("POST", "/account/keys"): Role.VIEWER,
    ("POST", "/account/keys/{key_id}/revoke"): Role.VIEWER,
    # Signed by their senders; tests/api/test_replies.py and test_acks.py see to that.
    ("POST", "/api/v1/acknowledge"): None,
    ("POST", "/api/v1/replies/slack"): None,
    ("POST", "/api/v1/replies/twilio"): None,
    ("POST", "/api/v1/replies/webhook"): None,
    ("GET", "/api/v1/on-call"): Role.VIEWER,
    ("GET", "/api/v1/on-call/overrides"): Role.VIEWER,
    ("POST", "/api/v1/on-call/overrides"): Role.PR_LEAD,
    ("POST", "/api/v1/on-call/overrides/{override_id}/remove"): Role.PR_LEAD,
    ("GET", "/api/v1/silences"): Role.VIEWER,
    ("POST", "/api/v1/silences"): Role.PR_LEAD,
    ("POST", "/api/v1/silences/preview"): Role.PR_LEAD,
    ("POST", "/api/v1/silences/{silence_id}/end"): Role.PR_LEAD,
    ("POST", "/api/v1/alerts/test"): Role.PR_LEAD,
    ("GET", "/api/v1/mentions"): Role.VIEWER,
    ("GET", "/api/v1/mentions/{mention_id}"): Role.VIEWER,
    ("GET", "/api/v1/mentions/{mention_id}/why"): Role.VIEWER,
    ("POST", "/api/v1/mentions/{mention_id}/correct"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/mentions/{mention_id}/undo-correction"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/queue"): Role.VIEWER,
    ("POST", "/api/v1/queue/changes"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/queue/changes/{batch}/undo"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/queue/views"): Role.VIEWER,
    ("POST", "/api/v1/queue/views"): Role.VIEWER,
    ("POST", "/api/v1/queue/views/{view_id}/remove"): Role.VIEWER,
    ("GET", "/api/v1/queue/presence"): Role.VIEWER,
    ("POST", "/api/v1/queue/presence"): Role.VIEWER,
    ("GET", "/api/v1/queue/{mention_id}/events"): Role.VIEWER,
    ("POST", "/api/v1/queue/{mention_id}/close"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/queue/{mention_id}/reopen"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/incidents"): Role.VIEWER,
    ("GET", "/api/v1/incidents/{incident_id}"): Role.VIEWER,
    ("POST", "/api/v1/incidents/{incident_id}/acknowledge"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/notes"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/escalate"): Role.PR_LEAD,
    ("POST", "/api/v1/incidents/{incident_id}/resolve"): Role.PR_LEAD,
    ("GET", "/api/v1/incidents/{incident_id}/report"): Role.VIEWER,
    ("GET", "/api/v1/incidents/{incident_id}/report.{form}"): Role.VIEWER,
    ("PUT", "/api/v1/incidents/{incident_id}/review"): Role.PR_LEAD,
    ("GET", "/api/v1/readiness"): Role.VIEWER,
    ("GET", "/api/v1/drills"): Role.VIEWER,
    ("GET", "/api/v1/drills/{drill_id}"): Role.VIEWER,
    ("POST", "/api/v1/drills"): Role.PR_LEAD,
    ("POST", "/api/v1/drills/{drill_id}/stop"): Role.PR_LEAD,
    ("GET", "/api/v1/links/suggestions"): Role.VIEWER,
    ("POST", "/api/v1/links/{link_id}/confirm"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/links/{link_id}/reject"): Role.COMMUNITY_MANAGER,
    ("POST", "/api/v1/links/{link_id}/undo"): Role.COMMUNITY_MANAGER,
    ("GET", "/api/v1/contacts"): Role.VIEWER,
    ("GET", "/api/v1/contacts/{contact_id}"): Role.VIEWER,
    ("GET", "/api/v1/sources"): Role.VIEWER,
    ("GET", "/api/v1/sources/gaps"): Role.VIEWER,
    ("GET", "/api/v1/sources/coverage"): Role.VIEWER,
    ("GET", "/api/v1/brands"): Role.VIEWER,
    ("GET", "/api/v1/trends"): Role.VIEWER,
    ("GET", "/api/v1/topics"): Role.VIEWER,
    ("GET", "/api/v1/signals"): Role.VIEWER,
    ("GET", "/api/v1/languages"): Role.VIEWER,
    ("GET", "/api/v1/me"): Role.VIEWER,
    ("GET", "/api/v1/keys"): Role.VIEWER,
    ("POST", "/api/v1/keys"): Role.VIEWER,
    ("POST", "/api/v1/keys/{key_id}/revoke"): Role.VIEWER,
    ("GET", "/api/v1/users"): Role.ADMIN,
    ("POST", "/api/v1/users"): Role.ADMIN,
    ("PATCH", "/api/v1/users/{user_id}"): Role.ADMIN,
}

NOT_THERE = "999999"


def _walk(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            continue  # static files
        if isinstance(route, Route):
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, prefix + route.path
            continue
        context = getattr(route, "include_context", None)
        inner = getattr(route, "original_router", None)
        assert inner is not None, f"this test does not know routes like {route!r}"
        yield from _walk(inner.routes, prefix + (context.prefix if context else ""))


def test_every_route_is_in_the_table(app: FastAPI) -> None:
    assert set(_walk(app.routes)) == set(LEAST_ROLE)


def _send(client: TestClient, method: str, path: str) -> int:
    names = ("mention_id", "incident_id", "link_id", "user_id", "key_id", "contact_id")
    for name in (
        *names,
        "claim_id",
        "statement_id",
        "override_id",
        "silence_id",
        "share_id",
        "edit_id",
        "drill_id",
        "team_id",
        "consent_id",
        "erasure_id",
        "token",
        "batch",
        "view_id",
    ):
        path = path.replace(f"{{{name}}}", NOT_THERE)
    return client.request(method, path).status_code


@pytest.mark.parametrize("role", list(Role))
def test_each_route_lets_in_who_may_and_nobody_else(sign_in: SignIn, role: Role) -> None:
    client = sign_in(role)
    order = list(Role)

    wrong = []
    for (method, path), least in LEAST_ROLE.items():
        if least is None:
            continue
        status = _send(client, method, path)
        may = order.index(role) >= order.index(least)
        if (status == 403) is may or status == 401:
            wrong.append((method, path, status))

    assert wrong == []


def test_nobody_gets_anywhere_without_signing_in(client: TestClient) -> None:
    wrong = []
    for (method, path), least in LEAST_ROLE.items():
        status = _send(client, method, path)
        if least is not None and status != (401 if path.startswith("/api/") else 303):
            wrong.append((method, path, status))

    assert wrong == []
