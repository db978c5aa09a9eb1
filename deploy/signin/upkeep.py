"""What the provider forgets by itself: accounts that nobody confirmed, and what has expired."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from deploy.signin.models import Account

log = logging.getLogger("nightpress.signin")

EVERY_SECONDS = 6 * 3600


def purge() -> dict[str, int]:
    """Delete what nobody needs any more; return how many things of each kind went.

    An account goes if none of its addresses was confirmed within UNCONFIRMED_DAYS, so that
    somebody else's address is not kept, nor taken from them, by whoever typed it in.
    Administrators stay, and so does whoever has ever signed in.
    """
    before = timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS)
    confirmed = EmailAddress.objects.filter(verified=True).values("user_id")
    unconfirmed = Account.objects.filter(
        date_joined__lt=before, last_login__isnull=True, is_staff=False
    ).exclude(pk__in=confirmed)
    count = unconfirmed.count()
    unconfirmed.delete()
    tokens, _ = Token.objects.filter(expires_at__lt=timezone.now()).delete()
    sessions, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return {"unconfirmed accounts": count, "tokens": tokens, "sessions": sessions}


def purge_now_and_then(stop: threading.Event) -> None:
    """Purge at once and every few hours until `stop` is set; a failure is tried again."""
    while not stop.is_set():
        try:
            purge()
        except DatabaseError as error:
            log.warning("could not purge: %s", type(error).__name__)
        finally:
            close_old_connections()
        stop.wait(EVERY_SECONDS)
