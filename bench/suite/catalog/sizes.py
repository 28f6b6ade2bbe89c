"""Names for sizes of models."""

M = 1_000_000


def name_of(params: int) -> str:
    """1M, 100k, 62006."""
    for unit, letter in ((M, "M"), (1000, "k")):
        if params >= unit and params % (unit / 100) == 0:
            return f"{params / unit:g}{letter}"
    return str(params)
