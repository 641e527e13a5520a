"""The `dashboards` section of workbench.yaml: who may do what on the pages."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import StringConstraints

from workbench.nouns import Noun

Role = Literal["viewer", "annotator", "curator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From least to most; each may do what those before it may."""

Address = Annotated[str, StringConstraints(pattern=r"^[^\s@A-Z]+@[^\s@A-Z]+$", max_length=200)]


class DashboardsConfig(Noun):
    """Who may do what on the pages, once people log in (OpenID Connect); on this machine alone there is no login."""

    roles: dict[Address, Role] = {}
    """Role of each person by the e-mail address that the login gives, in lower case; nobody else gets in."""
