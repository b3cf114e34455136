"""The errors that users see, whose text says what is wrong and what to do; any other as one line."""

import errno


class IrvisError(Exception):
    """Bad input or a wrong request. The message is one line and needs no traceback."""


SMALLER = "make the image smaller, or fuse it in windows: irvis fuse … --memory 2GB"
"""What to do where memory does not suffice."""


class NoSpace(IrvisError):
    """The disk is full: a batch ends here, as whatever it writes next would fail too."""


def refuse_full(error: Exception) -> None:
    """Raises NoSpace if `error`, or what it came from, is that of a full disk."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, NoSpace):
            raise cause
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{said(error).rstrip('.')}. Free some space, then go on with --if-exists skip.") from error
        cause = cause.__cause__


def is_out_of_memory(error: BaseException) -> bool:
    """torch has no class of its own for it on the CPU."""
    torch_says = isinstance(error, RuntimeError) and (
        "DefaultCPUAllocator" in str(error) or "out of memory" in str(error).lower()
    )
    return isinstance(error, MemoryError) or torch_says


class RangeNeededError(IrvisError):
    """An infrared file holds counts, and nothing says which are black and white."""


class NotRegisteredError(IrvisError):
    """The two images of a pair do not lie on each other, and nothing says how they do: aligning them may help."""


class SidesSwappedError(IrvisError):
    """The visible file is gray and the infrared file coloured: they seem to be swapped."""


class SidesUnknownError(IrvisError):
    """Nothing says which files are visible and which infrared, or which belong together."""


def said(error: Exception) -> str:
    """One line: our own text, `FILE: reason` of the system's errors, else the first line with the kind of error."""
    if isinstance(error, IrvisError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if is_out_of_memory(error):
        return f"there is not enough memory; {SMALLER}"
    return f"{type(error).__name__}: {str(error).strip()}".split("\n")[0]
