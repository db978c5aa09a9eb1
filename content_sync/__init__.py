"""Nightpress: the nightly job, from the source database to a published release."""

__version__ = "0.1.0"
