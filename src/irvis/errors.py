"""The one error that users see, whose text says what is wrong and what to do; any other as one line."""


class IrvisError(Exception):
    """Bad input or a wrong request. The message is one line and needs no traceback."""


class RangeNeededError(IrvisError):
    """An infrared file holds counts, and nothing says which are black and white."""


class NotRegisteredError(IrvisError):
    """The two images of a pair do not lie on each other, and nothing says how they do: aligning them may help."""


class SidesUnknownError(IrvisError):
    """Nothing says which files are visible and which infrared, or which belong together."""


def said(error: Exception) -> str:
    """One line: our own text, `FILE: reason` of the system's errors, else the first line with the kind of error."""
    if isinstance(error, IrvisError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {str(error).strip()}".split("\n")[0]
