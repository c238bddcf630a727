"""The example's URLs and, beside them in the same process, the floors."""

from __future__ import annotations

from django.urls import include, path

from . import floors, replay

FLOORS = [
    path("worker", floors.worker),
    path("person/<int:pk>", floors.person),
    path("people/by-name/<name>", floors.person_by_name),
    path("people/by-external/<external>", floors.person_by_external),
    path("people/by-mail/<mail>", floors.person_by_mail),
    path("people/page/<int:offset>", floors.page_of_people),
    path("people/after/<int:pk>", floors.people_after),
    path("people", floors.people),
    path("group/<int:pk>", floors.group),
    path("groups/by-name/<name>", floors.group_by_name),
    path("groups/page/<int:offset>", floors.page_of_groups),
    path("group/<int:group>/member/<int:member>", floors.member),
    path("constant", floors.constant),
    path("same/<name>/<subject>", replay.same_work),
]

urlpatterns = [path("floor/", include(FLOORS)), path("", include("example_project.urls"))]
