"""Errors as HTTP answers: one shape for all, `{"error": {"kind", "message", "request_id"}}`."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.form_answers import is_sent_by_script
from api.language import told
from api.pages import render
from api.rate_limit import TooManyRequestsError
from api.security import HEADERS, sign_in_path
from api.wrong_fields import wrong_fields
from config.errors import (
    AppError,
    BudgetExhaustedError,
    ConflictError,
    InputError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
    TransientError,
)
from config.logs import get_logger
from config.phrases import phrase

log = get_logger(__name__)

#: Class of error -> (HTTP status, kind).
STATUS: dict[type[AppError], tuple[int, str]] = {
    InputError: (422, "invalid"),
    NotFoundError: (404, "not_found"),
    ConflictError: (409, "conflict"),
    PermissionDeniedError: (403, "forbidden"),
    TransientError: (503, "unavailable"),
    BudgetExhaustedError: (503, "unavailable"),
    TooManyRequestsError: (429, "too_often"),
    PermanentError: (502, "refused_upstream"),
}

_KINDS = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "invalid",
}


class SignInRequiredError(AppError):
    """Nobody is signed in, and the page or answer is not for everybody."""


def install_error_handlers(app: FastAPI) -> None:
    """Turn every error into the one shape, or into a page where a browser asks."""

    @app.exception_handler(SignInRequiredError)
    def _sign_in(request: Request, error: SignInRequiredError) -> Response:
        if wants_page(request):
            return _to_sign_in(request)
        answer = _answer(request, 401, "unauthenticated", error.said)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.exception_handler(AppError)
    def _app_error(request: Request, error: AppError) -> Response:
        status, kind = next(
            (found for cls, found in STATUS.items() if isinstance(error, cls)), (500, "error")
        )
        answer = _answer(request, status, kind, error.said)
        if (
            isinstance(error, (TransientError, TooManyRequestsError))
            and error.retry_after_s is not None
        ):
            answer.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
        return answer

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> Response:
        return _answer(request, 422, "invalid", _wrong(request, error))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        kind = _KINDS.get(error.status_code, "error")
        return _answer(request, error.status_code, kind, phrase(str(error.detail)))

    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(OperationalError)
    def _database(request: Request, error: OperationalError | PoolTimeoutError) -> Response:
        cause = error.orig if isinstance(error, OperationalError) else error
        log.error("database unavailable", kind=type(cause).__name__)
        answer = _answer(
            request,
            503,
            "unavailable",
            phrase("the database does not answer; try again in a moment"),
        )
        answer.headers["Retry-After"] = "5"
        return answer

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> Response:
        request_id = uuid.uuid4().hex[:12]
        log.error("unexpected error", request_id=request_id, kind=type(error).__name__)
        answer = _answer(
            request,
            500,
            "error",
            phrase(
                "something went wrong that should not; it is in the log as %(request_id)s",
                request_id=request_id,
            ),
            request_id,
        )
        # This answer does not pass through the middleware that sets them.
        answer.headers.update(HEADERS)
        return answer


def _wrong(request: Request, error: RequestValidationError) -> str:
    return wrong_fields(error.errors(), is_page=wants_page(request))


def _to_sign_in(request: Request) -> Response:
    """Lead to the sign-in and back; what was typed waits in the browser's tab: see `draft.js`."""
    if "hx-request" in request.headers:
        target = _page_of(request, "hx-current-url")
        return Response(status_code=401, headers={"HX-Redirect": target})
    if request.method != "GET":
        return RedirectResponse(_page_of(request, "referer"), status_code=303)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(sign_in_path(here), status_code=303)


def _page_of(request: Request, header: str) -> str:
    """Return the sign-in that leads back to the page that a request was sent from."""
    try:
        parts = urlsplit(request.headers.get(header, ""))
    except ValueError:
        return "/sign-in"
    if parts.netloc != request.headers.get("host") or not parts.path:
        return "/sign-in"
    return sign_in_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def wants_page(request: Request) -> bool:
    """Say whether a person's browser asks, rather than a program."""
    return not request.url.path.startswith("/api/")


def _answer(
    request: Request, status: int, kind: str, message: str, request_id: str | None = None
) -> Response:
    request_id = request_id or uuid.uuid4().hex[:12]
    if wants_page(request):
        is_part = "hx-request" in request.headers or is_sent_by_script(request)
        template = "_error.html" if is_part else "error.html"
        return render(
            request, template, {"status": status, "message": told(message)}, status_code=status
        )
    body: dict[str, Any] = {"kind": kind, "message": message, "request_id": request_id}
    return JSONResponse({"error": body}, status_code=status)
