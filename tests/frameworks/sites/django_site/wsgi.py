"""The WSGI application, as `django-admin startproject` makes it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.frameworks.sites.django_site.settings")

application = get_wsgi_application()
