"""The tables: connections and their keys, resources and their values, members, roles.

Every index that serves a look-up is led by the connection, so that rows can be sharded by it.
"""

from .connection import (
    AccessKey,
    Connection,
    ExistingAccount,
    ExistingPeople,
    MissingMembers,
    MissingRole,
    OnDelete,
    OnOrganizationDelete,
    SharedProfile,
    UnknownMember,
    UnknownRole,
)
from .event import Event, EventKind
from .lockout import Lockout, LoginSession
from .resource import (
    IN_ORDER,
    AttributeValue,
    FormerUser,
    Membership,
    Resource,
    ScimGroup,
    ScimUser,
    new_scim_id,
)
from .role import GrantedGroup, Provenance, Role, RoleAssignment, RoleRule, role_key
from .unlisted import Unlisted, UnlistedReason

__all__ = [
    "IN_ORDER",
    "AccessKey",
    "AttributeValue",
    "Connection",
    "Event",
    "EventKind",
    "ExistingAccount",
    "ExistingPeople",
    "FormerUser",
    "GrantedGroup",
    "Lockout",
    "LoginSession",
    "Membership",
    "MissingMembers",
    "MissingRole",
    "OnDelete",
    "OnOrganizationDelete",
    "Provenance",
    "Resource",
    "Role",
    "RoleAssignment",
    "RoleRule",
    "ScimGroup",
    "ScimUser",
    "SharedProfile",
    "UnknownMember",
    "UnknownRole",
    "Unlisted",
    "UnlistedReason",
    "new_scim_id",
    "role_key",
]
