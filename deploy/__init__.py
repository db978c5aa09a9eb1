"""Configuration of everything around the site, and the identity provider that comes with it."""
