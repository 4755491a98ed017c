"""How a long run tells how far it is."""

from collections.abc import Callable

type Tell = Callable[[str], None]


def under(tell: Tell, about: str) -> Tell:
    """For a part of the run, which need not know what it is a part of."""
    return lambda text: tell(f"{about}: {text}")
