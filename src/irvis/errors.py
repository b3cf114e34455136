"""The one error that users see: its text says what is wrong and what to do."""


class IrvisError(Exception):
    """Bad input or a wrong request. The message is one line and needs no traceback."""
