"""The *bare* floor: plain Django views, one statement each, the JSON ready in the row."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

_CONSTANT = json.dumps({"schemas": ["urn:floor"], "padding": "x" * 1500})


def _rows(sql: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows


def _execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _answer(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="application/scim+json")


def _one(sql: str, *parameters: Any) -> HttpResponse:
    rows = _rows(sql, *parameters)
    return _answer(rows[0][0]) if rows else _answer("{}", 404)


def _page(sql: str, *parameters: Any) -> HttpResponse:
    texts = ",".join(text for (text,) in _rows(sql, *parameters))
    return _answer(f'{{"totalResults":1,"Resources":[{texts}]}}')


def worker(request: HttpRequest) -> HttpResponse:
    """Which process answers, and the nanoseconds that it has computed so far."""
    return _answer(f"{os.getpid()} {time.process_time_ns()}")


def constant(request: HttpRequest) -> HttpResponse:
    """The floor of a discovery document: nothing is read."""
    return _answer(_CONSTANT)


@csrf_exempt
def person(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "GET":
        return _one("SELECT ready FROM bench_person WHERE id = %s", pk)
    if request.method == "DELETE":
        _execute("DELETE FROM bench_person WHERE id = %s", pk)
        return _answer("", 204)
    text = request.body.decode()
    json.loads(text)
    with transaction.atomic():
        _execute("UPDATE bench_person SET ready = %s WHERE id = %s", text, pk)
    return _answer(text)


@csrf_exempt
def people(request: HttpRequest) -> HttpResponse:
    """POST."""
    text = request.body.decode()
    name = json.loads(text)["userName"]
    with transaction.atomic():
        _execute(
            "INSERT INTO bench_person (name, external, mail, ready) VALUES (%s, %s, %s, %s)",
            *(name, name, name, text),
        )
    return _answer(text, 201)


def person_by_name(request: HttpRequest, name: str) -> HttpResponse:
    return _page("SELECT ready FROM bench_person WHERE name = %s", name)


def person_by_external(request: HttpRequest, external: str) -> HttpResponse:
    return _page("SELECT ready FROM bench_person WHERE external = %s", external)


def person_by_mail(request: HttpRequest, mail: str) -> HttpResponse:
    return _page("SELECT ready FROM bench_person WHERE mail = %s", mail)


def page_of_people(request: HttpRequest, offset: int) -> HttpResponse:
    return _page("SELECT ready FROM bench_person ORDER BY id LIMIT 100 OFFSET %s", offset)


def people_after(request: HttpRequest, pk: int) -> HttpResponse:
    return _page("SELECT ready FROM bench_person WHERE id > %s ORDER BY id LIMIT 100", pk)


def group(request: HttpRequest, pk: int) -> HttpResponse:
    return _one("SELECT ready FROM bench_group WHERE id = %s", pk)


def group_by_name(request: HttpRequest, name: str) -> HttpResponse:
    return _page("SELECT ready FROM bench_group WHERE name = %s", name)


def page_of_groups(request: HttpRequest, offset: int) -> HttpResponse:
    return _page("SELECT ready FROM bench_group ORDER BY id LIMIT 100 OFFSET %s", offset)


@csrf_exempt
def member(request: HttpRequest, group: int, member: int) -> HttpResponse:
    """Whether the member is there (GET); add it (PATCH); remove it (DELETE)."""
    if request.method == "GET":
        return _page(
            "SELECT g.ready FROM bench_group g JOIN bench_member m ON m.group_id = g.id"
            " WHERE g.id = %s AND m.member_id = %s",
            *(group, member),
        )
    if request.method == "PATCH":
        json.loads(request.body)
        _execute("INSERT INTO bench_member (group_id, member_id) VALUES (%s, %s)", group, member)
    else:
        _execute("DELETE FROM bench_member WHERE group_id = %s AND member_id = %s", group, member)
    return _answer("", 204)
