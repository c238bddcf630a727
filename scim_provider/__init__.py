"""A SCIM 2.0 service provider for any Django site (RFC 7643, RFC 7644)."""

__version__ = "0.1.0"
