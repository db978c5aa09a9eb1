"""Defaults for `pelicanconf.py`: `from content_sync.site_defaults import *`.

Only Pelican's own settings stand here; everything can be set anew below the import.
"""

from pathlib import Path

THEME = str(Path(__file__).resolve().parent.parent / "theme")
PLUGINS = ["content_sync.pages"]
JINJA_ENVIRONMENT = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "auto_reload": False,
}

PATH = "content"
OUTPUT_PATH = "output/preview/public"
ARTICLE_PATHS = ["news"]
PAGE_PATHS = ["pages"]
STATIC_PATHS = ["images"]
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
FEEDBACK_LINKS = True  # pages lead to the service's feedback form
DEFAULT_PAGINATION = False
RELATIVE_URLS = False

# A page is one file: /news/<slug>/ is served from news/<slug>.html.
ARTICLE_URL = "news/{slug}/"
ARTICLE_SAVE_AS = "news/{slug}.html"
PAGE_URL = "{slug}/"
PAGE_SAVE_AS = "{slug}/index.html"
DRAFT_SAVE_AS = DRAFT_PAGE_SAVE_AS = ""
DIRECT_TEMPLATES = ["news"]
NEWS_SAVE_AS = "news/index.html"
NEWS_URL = "news/"
AUTHOR_SAVE_AS = CATEGORY_SAVE_AS = TAG_SAVE_AS = ""
AUTHORS_SAVE_AS = CATEGORIES_SAVE_AS = TAGS_SAVE_AS = ARCHIVES_SAVE_AS = ""
ARTICLE_TRANSLATION_ID = PAGE_TRANSLATION_ID = None
FEED_ALL_ATOM = "feeds/news.atom.xml"
CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
THEME_STATIC_PATHS: list[str] = []  # published under assets/ with a hash in each name
