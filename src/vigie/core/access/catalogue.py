"""The catalogue of permissions, under its earlier name."""

from vigie.core.permissions import ANY_LOGIN, EVERY_ROLE, PUBLIC, ROLES, Catalogue, Permission, Role

__all__ = ["ANY_LOGIN", "EVERY_ROLE", "PUBLIC", "ROLES", "Catalogue", "Permission", "Role"]
