"""Make a site folder for a new institute."""

from __future__ import annotations

from pathlib import Path

from content_sync.errors import NightpressError

_CONF = '''\
"""The settings of this site. Pelican's own settings work here too."""

from content_sync.site_defaults import *

# Who you are. SITESUBTITLE is the heading of the home page, SITE_LEAD the line below it.
SITENAME = {name!r}
SITESUBTITLE = {subtitle!r}
SITE_LEAD = ""

# The public address, without a slash at its end. A site with real data must have one:
# canonical links, feeds and the tags that Google Scholar reads are made from it.
SITEURL = {url!r}

# The place whose midnight counts: IANA name.
TIMEZONE = "UTC"
DEFAULT_LANG = "en"

# Full texts: a folder (relative to this one) or s3://bucket/prefix; file_path of a
# publication starts there. Only these endings are ever published.
FULL_TEXTS = ""
FULL_TEXT_TYPES = [".pdf"]
S3_ENDPOINT_URL = ""  # an S3 service other than Amazon's

# Whom harvesters of the records (OAI-PMH) may write to; empty: the address below.
ADMIN_EMAIL = ""

# Where faults that endanger the site are to be reported, for /.well-known/security.txt:
# "mailto:security@…" or an https address. Empty: no such file.
SECURITY_CONTACT = ""

# Where "Sign in" leads: "/signin/" where Apache signs people in (docs/sign-in.md). Empty: no link.
SIGN_IN_URL = ""

# A sync that loses more than this share of a view's records, and at least so many, or changes
# more than the second share, is refused until you look (`nightpress diff`) and say `--accept`.
GUARD_SHARE = 0.05
GUARD_MINIMUM = 20
GUARD_CHANGED_SHARE = 0.5

# How the source is read: seconds to wait for a lock and for an answer, and how often a lost
# connection is tried again. Views with more rows than SOURCE_WINDOW_ROWS are read by what
# changed, and by all their keys every so many nights.
SOURCE_LOCK_SECONDS = 30
SOURCE_QUERY_SECONDS = 600
SOURCE_RETRIES = 4
SOURCE_WINDOW_ROWS = 1_000_000
SOURCE_FULL_PASS_NIGHTS = 7

# Releases that stay on disk, the live one included.
RELEASES_KEPT = 7

# The rebuild agent, 'nightpress agent': when it begins the night, in the site's time zone (empty
# if something else does), and the loopback port at which Apache finds it.
NIGHTLY_AT = "02:30"
AGENT_PORT = 8766
# A git repository (https or ssh) from which content/ is pulled before each of its builds.
CONTENT_GIT = ""

# A copy of the public pages in a bucket, for a CDN or a standby ('nightpress mirror',
# docs/mirror.md), as s3://bucket/prefix. Members' and staff's pages go to a private bucket of
# their own, or nowhere.
MIRROR = ""
MIRROR_PRIVATE = ""

# Processes for heavy steps; 0 means one for each core.
WORKERS = 0

# The service behind Apache (`nightpress service`, docs/service.md). When it runs, set
# FEEDBACK_LINKS to True: pages then lead to its form. Feedback on records of a type goes to its
# mailbox, all other to that of "".
FEEDBACK_LINKS = False
STAFF_MAILBOXES = {{}}  # {{"": "office@example.org", "event": "events@example.org"}}
MAIL_FROM = ""  # sender of the service's mails
MAIL_SERVER = ""  # host or host:port of the SMTP server; without one, mails go to var/mail/

# CVs of students (docs/cv.md): where they are kept (a folder or s3://bucket/prefix; empty means
# var/cv-store/), and the virus scanner (clamd's socket or host:port; empty means none).
CV_STORE = ""
CLAMD = ""

# Colours stand in theme/static/css/site.css. A logo is theme/static/images/logo.svg (or .png),
# the icon of browser tabs theme/static/images/icon.svg: put your own there.

# Own templates that replace the theme's, file by file.
THEME_TEMPLATES_OVERRIDES = ["templates"]

# The source database is named in the environment, never here:
#   NIGHTPRESS_SOURCE="Driver={{ODBC Driver 18 for SQL Server}};Server=…;Database=…;…"
#   NIGHTPRESS_SOURCE="sqlite:///source.sqlite"
# Without it the site shows the embedded demo.
'''

_ABOUT = """\
Title: About
Slug: about

What this site is, who runs it, and how to reach them.
"""

_NEWS = """\
Title: The site is up
Date: 2026-01-01
Slug: the-site-is-up
Summary: The first night has run.

The first night has run.
"""


_CSS = """\
/* Your colours: they take the place of the theme's. Text must stand out from the paper by 4.5 to 1
   at least; the values here are the theme's own. */
:root {
  --paper: #fdfdfb; /* behind everything */
  --ink: #16181b; /* text */
  --soft: #44484d; /* text that stands back */
  --link: #0d438c; /* links: the colour that people see as yours */
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b;
    --ink: #e7e5df;
    --soft: #b9b8b2;
    --link: #a3c6fa;
  }
}
"""


def make_site(folder: Path, *, name: str = "Your institute", url: str = "") -> None:
    """Write settings and sample prose into `folder`, which must be new or empty.

    `name` and `url` (the public address) can be changed in the settings at any time.
    Raises NightpressError where something stands there already or the address is none.
    """
    if url and not url.startswith(("https://", "http://")):
        raise NightpressError(f"{url!r} is not an address.", hint="It begins with https://.")
    settings = _CONF.format(name=name, subtitle=f"Publications of {name}", url=url.rstrip("/"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NightpressError(
            f"{folder} is there already and is not an empty folder.", hint="Name a new one."
        )
    for path, text in (
        ("pelicanconf.py", settings),
        ("content/pages/about.md", _ABOUT),
        ("content/news/the-site-is-up.md", _NEWS),
        ("theme/static/css/site.css", _CSS),
        (".gitignore", "/var/\n/output/\n"),
    ):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for path in ("templates", "content/images", "theme/static/images"):
        (folder / path).mkdir()
