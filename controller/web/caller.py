"""Who calls: what a validated token says, as all services see it."""

import datetime
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A user with the scope and roles of the token. ``project_id`` is None when not project-scoped.

    ``application_credential_id`` is the credential that the token was got by; empty for none.
    """

    user_id: str
    user_name: str
    user_domain_id: str
    user_domain_name: str = ""
    project_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None
    domain_id: str | None = None
    is_system: bool = False
    roles: frozenset[str] = field(default_factory=frozenset)
    expires_at: datetime.datetime | None = None
    methods: tuple[str, ...] = ("password",)
    audit_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    application_credential_id: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether the caller has the cloud's admin role, in whatever scope."""
        return "admin" in self.roles

    @property
    def own_project(self) -> str:
        """The project that the token is scoped to; empty for another scope."""
        return self.project_id or ""
