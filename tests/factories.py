"""Rows for tests. SCIM resources are better made through the ``scim`` fixture."""

from __future__ import annotations

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from example_project.accounts.models import Account, Location, Organization
from scim_provider.connections import connection_for
from scim_provider.models import Connection, Resource

PASSWORD = "correct horse battery staple"


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence("Organization {}".format)
    slug = factory.Sequence("organization-{}".format)


class LocationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Location

    name = factory.Sequence("Location {}".format)
    organization = factory.SubFactory(OrganizationFactory)


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Account

    username = factory.Sequence("person{}@example.com".format)
    email = factory.SelfAttribute("username")
    first_name = "Ada"
    last_name = "Lovelace"
    organization = factory.SubFactory(OrganizationFactory)
    password = factory.LazyFunction(lambda: make_password(PASSWORD))


class OrganizationAdminFactory(AccountFactory):
    is_organization_admin = True


class SuperuserFactory(AccountFactory):
    organization = None
    is_staff = True
    is_superuser = True


class ConnectionFactory(factory.django.DjangoModelFactory):
    """An enabled connection of ``owner``, by default an organization of its own."""

    class Meta:
        model = Connection

    owner = factory.SubFactory(OrganizationFactory)
    enabled = True

    @classmethod
    def _create(cls, model_class: type[Connection], *args: object, **values: object) -> Connection:
        connection = connection_for(values.pop("owner"))
        for name, value in values.items():
            setattr(connection, name, value)
        connection.save()
        return connection


class UserFactory(factory.django.DjangoModelFactory):
    """The row of somebody who is there already, beside an account of the same name."""

    class Meta:
        model = Resource

    connection = factory.SubFactory(ConnectionFactory)
    resource_type = "User"
    name = factory.Sequence("user{}@example.com".format)
    name_key = unique_key = factory.SelfAttribute("name")
    account = factory.SubFactory(AccountFactory, username=factory.SelfAttribute("..name"))
    created = last_modified = factory.LazyFunction(timezone.now)
