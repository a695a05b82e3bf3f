"""How much memory there is, so that what no memory holds is refused before anybody asks for it."""

import os

UNIT = 2**30


def check_memory(asked: str, needed: int) -> None:
    """Raise ValueError if `needed` bytes are more than the machine has; `asked` names the arguments."""
    available = memory()
    if needed > available:
        raise ValueError(
            f"{asked}: this needs {needed / UNIT:.3g} GiB at least, and the machine has {available / UNIT:.3g} GiB; "
            "the numbers must be smaller"
        )


def memory() -> int:
    """Bytes of memory of this machine; endless where it does not tell, as on Windows."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63
