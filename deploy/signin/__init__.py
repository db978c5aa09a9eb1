"""The included identity provider: django-allauth's OpenID provider with this site's claims.

A small Django project. It needs the extra `nightpress[signin]`; nothing else imports Django.
"""
