"""Long campaigns of faults, load and hostile input: one module for each, run by `make soak`.

A campaign is a module of this folder with

    TITLE = "What is tried, in a few words"
    def run(scale: float) -> dict[str, int | float | str]: ...

`run` tries it at full length for a scale of 1, shorter below, and returns its figures; it
raises AssertionError, telling what was lost or let in, when the product fails. The tests hold
a short form of each campaign.
"""
