"""Releases: staged, verified, switched live, taken back, remembered."""
