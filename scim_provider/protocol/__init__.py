"""SCIM 2.0 in plain Python: nothing in here imports Django."""
