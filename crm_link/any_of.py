"""`config.any_of`, under the name by which this package knows it."""

from config.any_of import any_of

__all__ = ["any_of"]
