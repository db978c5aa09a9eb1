"""What other Pelican plugins can connect to: records come with signals of their own.

Plugins register in every process that renders pages, so receivers run there too.
"""

from blinker import Signal

records_ready = Signal(
    "Sent once in the main process before any record page is made. The sender is the\n"
    "generator; `shared` is the dictionary of values that every page can show."
)
page_context = Signal(
    "Sent for each record page before it is rendered. The sender is the name of the\n"
    "template; `context` is what the template is given and may be added to, with values that\n"
    "JSON can hold: the page is made again exactly when its context changes."
)
