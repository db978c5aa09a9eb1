"""Django as sites of this kind use it: models, the ORM, templates, one view.

    NIGHTPRESS_PEER_DATABASE=acl.sqlite waitress-serve benchmarks.per_request.django_app:app

`NIGHTPRESS_PEER_MEMCACHED=host:port` caches whole pages for a minute with Django's own
middleware, as a busy site would.
"""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from benchmarks.bench_site import SITENAME
from benchmarks.per_request.words import NAV, printed_date, reference
from content_sync.urls import slug

MEMCACHED = os.environ.get("NIGHTPRESS_PEER_MEMCACHED")
_CACHING = (
    ["django.middleware.cache.UpdateCacheMiddleware"] if MEMCACHED else [],
    ["django.middleware.cache.FetchFromCacheMiddleware"] if MEMCACHED else [],
)

settings.configure(
    DEBUG=False,
    SECRET_KEY="only for a measurement on this machine",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["benchmarks.per_request"],
    MIDDLEWARE=[
        *_CACHING[0],
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        *_CACHING[1],
    ],
    CACHE_MIDDLEWARE_SECONDS=60,
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": MEMCACHED,
        }
    }
    if MEMCACHED
    else {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["NIGHTPRESS_PEER_DATABASE"],
            "CONN_MAX_AGE": None,
        }
    },
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [Path(__file__).parent / "templates"],
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django.urls import path  # noqa: E402


class _Record(models.Model):
    id = models.TextField(primary_key=True)

    class Meta:
        abstract = True
        app_label = "per_request"
        managed = False


class Venue(_Record):
    name = models.TextField()

    class Meta(_Record.Meta):
        db_table = "venues"


class Topic(_Record):
    name = models.TextField()

    class Meta(_Record.Meta):
        db_table = "topics"


class Project(_Record):
    title = models.TextField()
    access = models.TextField()

    class Meta(_Record.Meta):
        db_table = "projects"


class Publication(_Record):
    title = models.TextField()
    abstract = models.TextField(null=True)
    kind = models.TextField(null=True)
    year = models.IntegerField(null=True)
    month = models.IntegerField(null=True)
    day = models.IntegerField(null=True)
    venue = models.ForeignKey(Venue, models.DO_NOTHING, null=True)
    published_in = models.TextField(null=True)
    volume = models.TextField(null=True)
    issue = models.TextField(null=True)
    pages = models.TextField(null=True)
    publisher = models.TextField(null=True)
    doi = models.TextField(null=True)
    url = models.TextField(null=True)
    topics = models.ManyToManyField(Topic, through="PublicationTopic")
    projects = models.ManyToManyField(Project, through="ProjectPublication")

    class Meta(_Record.Meta):
        db_table = "publications"


class Authorship(models.Model):
    pk = models.CompositePrimaryKey("publication_id", "role", "position")
    publication = models.ForeignKey(Publication, models.DO_NOTHING, related_name="people")
    role = models.TextField()
    position = models.IntegerField()
    person_id = models.TextField(null=True)
    name = models.TextField()
    affiliation = models.TextField(null=True)

    class Meta:
        app_label = "per_request"
        managed = False
        db_table = "publication_people"
        ordering = ("role", "position")


class PublicationTopic(models.Model):
    pk = models.CompositePrimaryKey("publication_id", "topic_id")
    publication = models.ForeignKey(Publication, models.DO_NOTHING)
    topic = models.ForeignKey(Topic, models.DO_NOTHING)

    class Meta:
        app_label = "per_request"
        managed = False
        db_table = "publication_topics"


class ProjectPublication(models.Model):
    pk = models.CompositePrimaryKey("project_id", "publication_id")
    project = models.ForeignKey(Project, models.DO_NOTHING)
    publication = models.ForeignKey(Publication, models.DO_NOTHING)

    class Meta:
        app_label = "per_request"
        managed = False
        db_table = "project_publications"


def publication(request: HttpRequest, record_id: str) -> HttpResponse:
    """Answer with the page of one publication."""
    found = get_object_or_404(
        Publication.objects.select_related("venue").prefetch_related(
            "people", "topics", "projects"
        ),
        pk=record_id,
    )
    return render(request, "publication.html", _context(found))


def _context(p: Publication) -> dict[str, Any]:
    authors = [a for a in p.people.all() if a.role == "author"]
    topics = sorted(p.topics.all(), key=lambda t: t.name)
    place = p.published_in or (p.venue.name if p.venue else "") or p.publisher or ""
    by_place = sorted((a for a in authors if a.affiliation), key=lambda a: str(a.affiliation))
    return {
        "sitename": SITENAME,
        "nav": [{"url": url, "title": title} for url, title in NAV],
        "id": p.id,
        "kind": (p.kind or "publication").capitalize(),
        "title": p.title,
        "description": (p.abstract or "")[:160],
        "meta": [
            {"name": "citation_title", "content": p.title},
            *({"name": "citation_author", "content": a.name} for a in authors),
            {"name": "citation_publication_date", "content": p.year or ""},
        ],
        "authors": [
            {
                "name": a.name,
                "href": f"/people/{slug(a.person_id)}/" if a.person_id else "",
                "comma": ", " if i < len(authors) else "",
            }
            for i, a in enumerate(authors, 1)
        ],
        "affiliations": [
            {"name": name, "people": ", ".join(a.name for a in group)}
            for name, group in groupby(by_place, key=lambda a: a.affiliation)
        ],
        "place": place,
        "venue": {
            "href": f"/venues/{slug(p.venue_id)}/",
            "year_href": f"/venues/{slug(p.venue_id)}/{p.year}/",
        }
        if p.venue_id
        else None,
        "volume": p.volume,
        "issue": p.issue,
        "pages": p.pages,
        "publisher": p.publisher,
        "date": printed_date(p.year, p.month, p.day),
        "doi": p.doi,
        "url": p.url,
        "host": (p.url or "").split("/")[2] if p.url and p.url.count("/") > 1 else p.url,
        "abstract": [part for part in (p.abstract or "").split("\n\n") if part],
        "topics": [
            {
                "href": f"/topics/{slug(t.id)}/",
                "name": t.name,
                "comma": ", " if i < len(topics) else "",
            }
            for i, t in enumerate(topics, 1)
        ],
        "projects": [
            {"href": f"/projects/{slug(x.id)}/", "name": x.title}
            for x in p.projects.all()
            if x.access == "public"
        ],
        "cite": reference([a.name for a in authors], p.year, p.title, place, p.pages),
    }


urlpatterns = [path("publications/<str:record_id>/", publication)]
app = get_wsgi_application()
