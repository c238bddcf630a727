"""The HTTP face: one file per slot of Django REST framework, and no SCIM rules."""
