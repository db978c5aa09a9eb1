"""The demo site: a fictional consortium, shown with the theme as it is."""

from content_sync.site_defaults import *

SITENAME = "Ellmark Consortium"
SITESUBTITLE = "Research on semiconductors and computing, shared by universities and companies"
SITE_LEAD = "Publications, projects and events of a consortium that does not exist."
SITEURL = ""
TIMEZONE = "Europe/Berlin"
DEFAULT_LANG = "en"

SIGN_IN_URL = "/signin/"
FULL_TEXTS = "var/demo-files"
