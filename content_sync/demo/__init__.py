"""The demo source: a fictional research consortium in the shape of the source contract."""

from content_sync.demo.source import DemoReport, write_demo

__all__ = ["DemoReport", "write_demo"]
