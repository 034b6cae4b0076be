"""Only a name under which other tests still import `wire`."""

from tests.exchange.api.v1 import wire

__all__ = ["wire"]
