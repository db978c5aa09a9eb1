"""What machines read of a release: feeds, sitemaps, dumps, OAI-PMH; of public records alone."""
