"""The histories of the tests of search."""

from tests.unit.search.conftest import local, past

__all__ = ["local", "past"]
