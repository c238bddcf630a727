"""An identity provider to try a SCIM service with, before there is a real one.

Scripts are data (`scripts/*.json`); `player.Player` plays one against a base URL. Nothing here
imports Django: `manage.py scim_simulate` is only its command line.
"""
