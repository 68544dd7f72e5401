"""The errors that Groundswell raises on purpose.

The class says what the caller should do; the message says what happened, where and what
to do. HTTP codes live only in `api.errors`, exit codes only in `api.cli`.
"""

from __future__ import annotations


class AppError(Exception):
    """Anything that Groundswell refuses or cannot do, with a message fit for its user."""


class InputError(AppError):
    """What the user gave (a file, a query, a setting) is wrong; trying again will not help."""


class NotFoundError(AppError):
    """The thing that was asked for does not exist."""


class ConflictError(AppError):
    """The thing exists, but is not in a state that allows this."""


class PermissionDeniedError(AppError):
    """Who asks may not do this."""


class TransientError(AppError):
    """A platform, CRM or alert channel failed, and may work again later.

    Args:
        message: What happened, without texts, handles or secrets.
        retry_after_s: Seconds to wait, where the other side said so.

    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PermanentError(AppError):
    """A platform, CRM or alert channel refused, and will refuse again until something changes."""


class BudgetExhaustedError(AppError):
    """A rate or money budget is used up; work goes on at `resume_after_s` seconds from now.

    This is a state that pauses and is shown, not a failure to be retried at once.
    """

    def __init__(self, message: str, *, resume_after_s: float) -> None:
        super().__init__(message)
        self.resume_after_s = resume_after_s
