"""The page of a publication as a server would render it at each request: Django and Flask.

These are peers that the static pages are measured against, not parts of the product. Both
read the same contract database and fill the same template, whose text is that of our page.
"""
