import psycopg
from django.contrib import admin
from django.contrib.auth.models import User
from django.shortcuts import render
from django.urls import path

from shop import tasks


def report(request):
    """What needs template, database, queue and PostgreSQL's client."""
    try:
        psycopg.connect("host=127.0.0.1 port=1 dbname=none", connect_timeout=5)
        refused = "nobody"
    except psycopg.OperationalError as error:
        refused = str(error)
    answer = tasks.multiply.delay(6, 7).get(timeout=40)
    return render(request, "report.html", {"answer": answer, "users": User.objects.count(), "refused": refused})


urlpatterns = [path("admin/", admin.site.urls), path("report", report)]
