"""The rebuild agent: the one process that runs jobs, at night and when staff ask for it.

The queue is a small database, `var/agent.sqlite`; a build runs as a child process of the same
commands that a person would type. Nothing here is on the way of a reader.
"""
