"""The admin's pages: "Settings > Security" with SCIM provisioning."""
