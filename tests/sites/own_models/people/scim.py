from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import CharField, Value
from django.db.models.functions import Concat

from scim_provider.own_resources import (
    OwnGroupResource,
    OwnGroups,
    OwnMembers,
    OwnResource,
    common_homes,
)
from scim_provider.resources import (
    Attribute,
    Choice,
    Column,
    Computed,
    Context,
    Flag,
    Rows,
    Schema,
    SingleValue,
    UserResource,
)
from tests.sites.own_models.teams.models import Device, Team

STAFF = Schema(
    "urn:example:params:scim:schemas:extension:staff:2.0:User",
    "Staff",
    (
        Attribute("costCenter", "integer", required=True),
        Attribute("staffNumber"),
        Attribute("badge", case_exact=True),
        Attribute("hiredOn"),
        Attribute("contractEnd", "dateTime"),
        Attribute("reviewedAt", "dateTime"),
        Attribute("level", "integer"),
        Attribute("band", "integer"),
        Attribute("dayRate", "decimal"),
        Attribute("rating", "decimal"),
        Attribute("contractor", "boolean"),
        Attribute("employment"),
        Attribute("notes", case_exact=True),
        Attribute("site"),
    ),
)

FULL_NAME = Concat("account__full_name", Value(" / "), "account__email", output_field=CharField())


class Staff(UserResource):
    schema = UserResource.schema.including(Attribute("displayName", mutability="readOnly"))
    extensions = (*UserResource.extensions, STAFF)
    required_extensions = frozenset({STAFF.id})
    homes = UserResource.homes | {
        "name.formatted": Column("account__full_name"),
        "displayName": Computed(FULL_NAME),
        "phoneNumbers": SingleValue("account__mobile", type="mobile", primary=True),
        "groups": OwnGroups("team__members", name="name"),
        "ims": Rows("account__handles", value="name", type="service", primary="is_main"),
        f"{STAFF.id}:costCenter": Column("account__cost_center"),
        f"{STAFF.id}:staffNumber": Column("account__staff_number"),
        f"{STAFF.id}:badge": Column("account__badge"),
        f"{STAFF.id}:hiredOn": Column("account__hired_on"),
        f"{STAFF.id}:contractEnd": Column("account__contract_end"),
        f"{STAFF.id}:reviewedAt": Column("account__reviewed_at"),
        f"{STAFF.id}:level": Column("account__level"),
        f"{STAFF.id}:band": Column("account__band"),
        f"{STAFF.id}:dayRate": Column("account__day_rate"),
        f"{STAFF.id}:rating": Column("account__rating"),
        f"{STAFF.id}:contractor": Column("account__contractor"),
        f"{STAFF.id}:employment": Column("account__employment"),
        f"{STAFF.id}:notes": Column("account__notes"),
        f"{STAFF.id}:site": Choice("account__site", by="name", otherwise="Elsewhere"),
    }

    if get_user_model().__name__ == "Person":
        homes = homes | {"active": Flag("account__status", true="in", false="out")}

    def create_account(self, account: Any, context: Context) -> Any:
        return get_user_model().objects.create_user(account.email, cost_center=account.cost_center)


class Teams(OwnGroupResource):
    own_model = Team
    homes = OwnGroupResource.homes | {
        "displayName": Column("team__name"),
        "members": OwnMembers("team__members"),
    }


DEVICE = Schema(
    "urn:example:params:scim:schemas:core:2.0:Device",
    "Device",
    (
        Attribute("displayName", required=True),
        Attribute("serialNumber", required=True, case_exact=True, uniqueness="server"),
        Attribute("floor", "integer"),
        Attribute("active", "boolean"),
        Attribute("tags", multi_valued=True),
    ),
)


class Devices(OwnResource):
    name = "Device"
    endpoint = "/Devices"
    description = "Door locks and coffee machines"
    schema = DEVICE
    own_model = Device
    naming_attribute = "displayName"
    homes = common_homes("Device", "/Devices") | {
        "displayName": Column("device__label"),
        "serialNumber": Column("device__serial"),
        "floor": Column("device__floor"),
        "active": Column("device__is_on"),
    }
