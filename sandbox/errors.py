"""The two ways of saying no: to the person at the command line, and to an API client."""


class SandboxError(Exception):
    """A setting or a file that cannot be used; its text is one sentence for the user."""


class ApiError(Exception):
    """A refusal in Binance's form, ``{"code": ..., "msg": ...}`` with an HTTP status.

    Codes and texts: Binance spot API documentation, "Error codes".
    """

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status


def missing_parameter(name: str) -> ApiError:
    """The refusal of a request without a parameter it needs (-1102)."""
    return ApiError(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def invalid_symbol() -> ApiError:
    """The refusal of a symbol that is not listed (-1121)."""
    return ApiError(-1121, "Invalid symbol.")
