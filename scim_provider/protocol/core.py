"""The resource schemas: User, Group, the enterprise extension (RFC 7643 §4, §8.7.1) and Role.

Where the printed schemas and the prose or a verified erratum differ, the latter hold:
references and ids compare exactly (§2.3.7; erratum 8472), a Group needs its ``displayName``
(erratum 5368), ``addresses.primary`` and ``members.display`` exist (§2.4, §8.4; erratum 6011).
"""

from __future__ import annotations

from .schema import Attribute, AttributeType, Schema

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ROLE_URN = "urn:ietf:params:scim:schemas:core:2.0:Role"

PRIMARY = Attribute(
    "primary", "boolean", description="Whether this is the preferred value; one at most is."
)


def _type(*canonical_values: str) -> Attribute:
    return Attribute(
        "type", description="What the value is for.", canonical_values=canonical_values
    )


def _plural(name: str, value: Attribute, *types: str, description: str) -> Attribute:
    """A multi-valued attribute with the usual sub-attributes (RFC 7643 §2.4)."""
    display = Attribute("display", description="The value as people read it.")
    return Attribute(
        name,
        "complex",
        multi_valued=True,
        description=description,
        sub_attributes=(value, display, _type(*types), PRIMARY),
    )


def _value(description: str) -> Attribute:
    return Attribute("value", description=description)


_NAME = Attribute(
    "name",
    "complex",
    description="The parts of the user's real name.",
    sub_attributes=(
        Attribute("formatted", description="The whole name, ready for display."),
        Attribute("familyName", description="The family name, or last name."),
        Attribute("givenName", description="The given name, or first name."),
        Attribute("middleName", description="The middle names."),
        Attribute("honorificPrefix", description="What precedes the name, such as 'Dr.'."),
        Attribute("honorificSuffix", description="What follows the name, such as 'III'."),
    ),
)

_ADDRESSES = Attribute(
    "addresses",
    "complex",
    multi_valued=True,
    description="Postal addresses of the user.",
    sub_attributes=(
        Attribute("formatted", description="The whole address, ready for a label."),
        Attribute("streetAddress", description="Street, house number, post-office box."),
        Attribute("locality", description="The city or town."),
        Attribute("region", description="The state or region."),
        Attribute("postalCode", description="The postal or zip code."),
        Attribute("country", description="The country, as two letters of ISO 3166-1."),
        _type("work", "home", "other"),
        PRIMARY,
    ),
)

_GROUPS = Attribute(
    "groups",
    "complex",
    multi_valued=True,
    description="The groups the user belongs to. Change them through the Group resource.",
    mutability="readOnly",
    sub_attributes=(
        Attribute(
            "value", description="The id of the group.", case_exact=True, mutability="readOnly"
        ),
        Attribute(
            "$ref",
            "reference",
            description="The URI of the group.",
            mutability="readOnly",
            reference_types=("Group",),
        ),
        Attribute("display", description="The name of the group.", mutability="readOnly"),
        Attribute(
            "type",
            description="Whether the user is a member itself or through a nested group.",
            canonical_values=("direct", "indirect"),
            mutability="readOnly",
        ),
    ),
)

USER = Schema(
    USER_URN,
    "User",
    description="A user account.",
    attributes=(
        Attribute(
            "userName",
            description="The name the user logs in with; unique.",
            required=True,
            uniqueness="server",
            precis=True,
        ),
        _NAME,
        Attribute("displayName", description="The name shown to other people."),
        Attribute("nickName", description="The casual name of the user."),
        Attribute(
            "profileUrl",
            "reference",
            description="A page about the user.",
            reference_types=("external",),
        ),
        Attribute("title", description="The job title."),
        Attribute("userType", description="The relation to the organization: Employee, Intern…"),
        Attribute(
            "preferredLanguage", description="Preferred languages, as in an Accept-Language header."
        ),
        Attribute("locale", description="The locale for dates and numbers, such as 'en-US'."),
        Attribute("timezone", description="The time zone, by its IANA name."),
        Attribute("active", "boolean", description="Whether the user may log in."),
        Attribute(
            "password",
            description="A new password. It is never returned.",
            mutability="writeOnly",
            returned="never",
        ),
        _plural(
            "emails",
            _value("The e-mail address."),
            "work",
            "home",
            "other",
            description="E-mail addresses of the user.",
        ),
        _plural(
            "phoneNumbers",
            _value("The phone number, best as an RFC 3966 URI."),
            "work",
            "home",
            "mobile",
            "fax",
            "pager",
            "other",
            description="Phone numbers of the user.",
        ),
        _plural(
            "ims",
            _value("The address on the instant-messaging service."),
            "aim",
            "gtalk",
            "icq",
            "xmpp",
            "msn",
            "skype",
            "qq",
            "yahoo",
            "other",
            description="Instant-messaging addresses of the user.",
        ),
        _plural(
            "photos",
            Attribute(
                "value",
                "reference",
                description="The URL of the picture.",
                reference_types=("external",),
            ),
            "photo",
            "thumbnail",
            description="Pictures of the user.",
        ),
        _ADDRESSES,
        _GROUPS,
        _plural(
            "entitlements", _value("The entitlement."), description="What the user is entitled to."
        ),
        _plural(
            "roles", _value("The role."), description="What the user is here, such as 'admin'."
        ),
        _plural(
            "x509Certificates",
            Attribute("value", "binary", description="One DER certificate in base64."),
            description="Certificates issued to the user.",
        ),
    ),
)


def _member(
    name: str, description: str, *, case_exact: bool = False, canonical: tuple[str, ...] = ()
) -> Attribute:
    return Attribute(
        name,
        description=description,
        case_exact=case_exact,
        canonical_values=canonical,
        mutability="immutable",
    )


GROUP = Schema(
    GROUP_URN,
    "Group",
    description="A group of users and of other groups.",
    attributes=(
        Attribute("displayName", description="The name of the group.", required=True),
        Attribute(
            "members",
            "complex",
            multi_valued=True,
            description="Who belongs to the group.",
            sub_attributes=(
                _member("value", "The id of the member.", case_exact=True),
                Attribute(
                    "$ref",
                    "reference",
                    description="The URI of the member.",
                    mutability="immutable",
                    reference_types=("User", "Group"),
                ),
                _member("type", "What the member is.", canonical=("User", "Group")),
                _member("display", "The name of the member."),
            ),
        ),
    ),
)

ENTERPRISE_USER = Schema(
    ENTERPRISE_USER_URN,
    "EnterpriseUser",
    description="What an organization knows about a user.",
    attributes=(
        Attribute("employeeNumber", description="The number the organization gave the user."),
        Attribute("costCenter", description="The cost center."),
        Attribute("organization", description="The organization."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        Attribute(
            "manager",
            "complex",
            description="The user's manager.",
            sub_attributes=(
                Attribute("value", description="The id of the manager's User.", case_exact=True),
                Attribute(
                    "$ref",
                    "reference",
                    description="The URI of the manager's User.",
                    reference_types=("User",),
                ),
                Attribute(
                    "displayName",
                    description="The manager's name, computed; returned when asked for.",
                    mutability="readOnly",
                    returned="request",
                ),
            ),
        ),
    ),
)


def _role(
    name: str,
    type_: AttributeType,
    description: str,
    *,
    required: bool = False,
    multi_valued: bool = False,
) -> Attribute:
    return Attribute(
        name,
        type_,
        description=description,
        required=required,
        multi_valued=multi_valued,
        mutability="readOnly",
    )


#: draft-ietf-scim-roles-entitlements: the values that ``roles`` takes here.
ROLE = Schema(
    ROLE_URN,
    "Role",
    description="A role that users can be given.",
    attributes=(
        _role("value", "string", "What to send as 'value' in a user's roles.", required=True),
        _role("display", "string", "The name of the role."),
        _role("type", "string", "What kind of role it is."),
        _role("supported", "boolean", "Whether the role can be given to users.", required=True),
        _role(
            "limitedAssignmentsPermitted",
            "boolean",
            "Whether only so many users can have the role.",
        ),
        _role("totalAssignmentsPermitted", "integer", "How many users can have the role."),
        _role("totalAssignmentsUsed", "integer", "How many users have the role."),
        _role(
            "containedBy",
            "string",
            "The values of the roles that include this one.",
            multi_valued=True,
        ),
        _role(
            "contains",
            "string",
            "The values of the roles that this one includes.",
            multi_valued=True,
        ),
    ),
)
