"""Documents are laid out as ``scim_provider.layouts`` says: each when it is next written."""

from typing import Any

from django.db import migrations

#: What a text with a layout starts with, and where its members do, counted from 1.
_START, _MEMBERS = '{"$":"', 25


def take_layouts_away(apps: Any, schema_editor: Any) -> None:
    """Leave plain JSON to versions that know no layouts."""
    table = schema_editor.quote_name(apps.get_model("scim_provider", "Resource")._meta.db_table)
    rest = f"SUBSTR(document, {_MEMBERS})"
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    plain = f"'{{' || {rest}" if is_sqlite else f"CONCAT('{{', {rest})"
    sql = f"UPDATE {table} SET document = {plain} WHERE document LIKE %s"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql, [f"{_START}%"])


class Migration(migrations.Migration):
    dependencies = [("scim_provider", "0005_document_text")]

    operations = [
        migrations.RunPython(
            migrations.RunPython.noop, take_layouts_away, hints={"model_name": "resource"}
        )
    ]
