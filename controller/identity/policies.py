"""Who may do what in identity.

The admin role on any scope may do everything, as keystone's defaults still have it; readers of the whole
system may look at everything. Rules that end in ``:own`` are about the caller's own user, project or domain.
"""

from collections.abc import Iterator

from oslo_policy.policy import RuleDefault

from controller.web.policy import ADMIN, ANYONE, rule

#: Admin, or a reader whose token is for the system.
AUDITOR = "role:admin or (role:reader and system_scope:all)"
#: Those, and whoever looks after the projects and users of a domain or project.
KEEPER = "role:admin or role:manager or (role:reader and system_scope:all)"

#: Of each resource: who reads, who writes, and with which verbs beside list and get.
_RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "projects": (AUDITOR, ("create", "update", "delete")),
    "project_tags": (AUDITOR, ("create", "update", "delete")),
    "domains": (AUDITOR, ("create", "update", "delete")),
    "users": (AUDITOR, ("create", "update", "delete")),
    "user_projects": (AUDITOR, ()),
    "user_groups": (AUDITOR, ()),
    "groups": (AUDITOR, ("create", "update", "delete")),
    "group_users": (AUDITOR, ("add", "remove")),
    "roles": (KEEPER, ("create", "update", "delete")),
    "implied_roles": (AUDITOR, ("create", "delete")),
    "role_inferences": (AUDITOR, ()),
    "role_assignments": (AUDITOR, ()),
    "grants": (AUDITOR, ("create", "delete")),
    "system_grants": (AUDITOR, ("create", "delete")),
    "regions": (ANYONE, ("create", "update", "delete")),
    "services": (AUDITOR, ("create", "update", "delete")),
    "endpoints": (AUDITOR, ("create", "update", "delete")),
    "credentials": (AUDITOR, ("create", "update", "delete")),
    "policies": (AUDITOR, ("create", "update", "delete")),
    "application_credentials": (AUDITOR, ("create", "delete")),
}

_SINGLE = [
    rule("identity:projects:get:own", ANYONE, "Show the project of one's token."),
    rule("identity:project_tags:list:own", ANYONE, "List tags of the project of one's token."),
    rule("identity:project_tags:get:own", ANYONE, "Ask for a tag of the project of one's token."),
    rule("identity:domains:get:own", ANYONE, "Show the domain of one's token."),
    rule("identity:users:get:own", ANYONE, "Show oneself."),
    rule("identity:user_projects:list:own", ANYONE, "List the projects on which one has a role."),
    rule("identity:user_groups:list:own", ANYONE, "List the groups that one is in."),
    rule("identity:password:change", ADMIN, "Change another's password by saying the present one."),
    rule("identity:password:change:own", ANYONE, "Change one's password by saying the present one."),
    rule(
        "identity:tokens:get", "role:admin or role:service or (role:reader and system_scope:all)", "Validate."
    ),
    rule("identity:tokens:get:own", ANYONE, "Validate a token of one's own."),
    rule("identity:tokens:delete", ADMIN, "Revoke a token."),
    rule("identity:tokens:delete:own", ANYONE, "Revoke a token of one's own."),
    rule("identity:auth:catalog", ANYONE, "Show the catalog."),
    rule("identity:auth:projects", ANYONE, "List projects that one may get a token for."),
    rule("identity:auth:domains", ANYONE, "List domains that one may get a token for."),
    rule("identity:auth:system", ANYONE, "Ask whether one may get a token for the system."),
]


#: What users may do with secrets of their own.
_OWN: dict[str, tuple[str, ...]] = {
    "credentials": ("list", "get", "create", "update", "delete"),
    "application_credentials": ("list", "get", "create", "delete"),
}


def _rules() -> Iterator[RuleDefault]:
    for resource, (readers, verbs) in _RESOURCES.items():
        words = resource.replace("_", " ")
        for verb in ("list", "get"):
            yield rule(f"identity:{resource}:{verb}", readers, f"{verb.capitalize()} {words}.")
        for verb in verbs:
            yield rule(f"identity:{resource}:{verb}", ADMIN, f"{verb.capitalize()} {words}.")
    for resource, verbs in _OWN.items():
        for verb in verbs:
            words = resource.replace("_", " ")
            yield rule(f"identity:{resource}:{verb}:own", ANYONE, f"{verb.capitalize()} one's own {words}.")
    yield from _SINGLE


RULES = list(_rules())
