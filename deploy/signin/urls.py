"""Addresses of the provider."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from deploy.signin import views

admin.autodiscover()
# The administration is entered through the same form, with its limits and second factor.
admin.site.login = secure_admin_login(  # type: ignore[method-assign, no-untyped-call]
    admin.site.login
)
admin.site.site_header = admin.site.site_title = "Sign-in: administration"
admin.site.site_url = "/accounts/"

handler404 = "deploy.signin.views.not_found"

urlpatterns = [
    path("", views.front),
    path("", include("allauth.idp.urls")),
    path("accounts/", views.home, name="account_home"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
