"""The catalog files of a source, as its last look left them."""

from pilothouse.catalog.outside.sources import catalogs

__all__ = ["catalogs"]
