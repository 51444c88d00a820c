"""The error tree: each class says what the caller should do with it."""


class YiwangError(Exception):
    """Base of every error this platform raises on purpose."""


class Unavailable(YiwangError):
    """A part (event log, database, receiver) does not answer now: retry later."""


class Overloaded(Unavailable):
    """A bound is reached: refuse with 503 and Retry-After, do not queue."""

    def __init__(self, detail: str, retry_after_seconds: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Poison(YiwangError):
    """This record can never be processed: set it aside in quarantine and go on.

    `code` is one of the item codes of the public contract (`malformed`, `conflict`, …).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Misconfigured(YiwangError):
    """A setting or file of the operator is wrong: say which, and stop."""
