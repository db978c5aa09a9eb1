"""The service behind Apache: feedback, event registration and CVs, and nothing else."""
