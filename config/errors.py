"""The errors that Groundswell raises on purpose.

The class says what the caller should do; the message says what happened, where and what
to do. HTTP codes live only in `api.errors`, exit codes only in `api.cli`.
"""

from __future__ import annotations

from config.phrases import Phrase


class AppError(Exception):
    """Anything that Groundswell refuses or cannot do, with a message fit for its user.

    Args:
        message: What happened, where and what to do, in English, with `%(name)s` where values
            go. Without values it stays as it is, also with a percent sign in it.
        values: What is filled in. Pages say the message in the reader's language.

    """

    def __init__(self, message: str, /, **values: object) -> None:
        whole = message if isinstance(message, Phrase) else Phrase(message, values)
        super().__init__(whole)

    @property
    def said(self) -> str:
        """The message, which remembers what it was made of."""
        return self.args[0] if self.args else ""


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
        values: What is filled in.

    """

    def __init__(
        self, message: str, /, *, retry_after_s: float | None = None, **values: object
    ) -> None:
        super().__init__(message, **values)
        self.retry_after_s = retry_after_s


class PermanentError(AppError):
    """A platform, CRM or alert channel refused, and will refuse again until something changes."""


class BudgetExhaustedError(AppError):
    """A rate or money budget is used up; work goes on at `resume_after_s` seconds from now.

    This is a state that pauses and is shown, not a failure to be retried at once.
    """

    def __init__(self, message: str, /, *, resume_after_s: float, **values: object) -> None:
        super().__init__(message, **values)
        self.resume_after_s = resume_after_s
