"""CVs: students upload them, member companies read them the morning after, as files.

This package itself imports nothing, because the process that opens strangers' files
(`child.py`) must start quickly and hold no more than it needs.
"""
