"""Uses the installed wheel as a site would: no file of the clone is on the path.

check_wheel.py CLONE
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template.loader import get_template

APPS = ["scim_provider", "settings_ui"]
#: Files beside the Python modules that the packages are worth nothing without.
DATA = {".html", ".css", ".js", ".svg", ".json", ".typed", ".po", ".mo"}


def configure() -> None:
    settings.configure(
        SECRET_KEY="for this check",
        USE_TZ=True,
        STATIC_URL="static/",
        ROOT_URLCONF="check_wheel",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            *APPS,
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
    )
    django.setup()


def data_files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for app in APPS
        for path in (folder / app).rglob("*")
        if path.suffix in DATA
    }


def main(clone: Path) -> None:
    configure()
    import scim_provider

    installed = Path(scim_provider.__file__).parent.parent
    assert clone not in installed.parents, "the clone is on the path"
    missing = data_files(clone) - data_files(installed)
    assert not missing, f"not in the wheel: {sorted(missing)}"
    call_command("migrate", verbosity=0)
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    for name in data_files(installed):
        _, _, template = name.partition("/templates/")
        _, _, static = name.partition("/static/")
        if template:
            get_template(template)
        if static:
            assert finders.find(static), static
    print(f"{len(data_files(installed))} data files, templates and statics load")


urlpatterns: list[object] = []

if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
