"""Only a name under which other tests still import these."""

from tests.cast import PS1, WORK

__all__ = ["PS1", "WORK"]
