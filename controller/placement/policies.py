"""Who may use placement: other services and admins; readers may see what their own project uses."""

from oslo_policy import policy

from controller.web.policy import READER, SERVICE, rule

_INTERNAL = {
    "resource_providers": ("list", "create", "show", "update", "delete", "usages"),
    "resource_providers:inventories": ("list", "create", "show", "update", "delete"),
    "resource_providers:aggregates": ("list", "update"),
    "resource_providers:traits": ("list", "update", "delete"),
    "resource_providers:allocations": ("list",),
    "resource_classes": ("list", "create", "show", "update", "delete"),
    "traits": ("list", "show", "update", "delete"),
    "allocations": ("list", "manage", "update", "delete"),
    "allocation_candidates": ("list",),
    "reshaper": ("reshape",),
    "usages": ("other_projects",),
}

RULES: list[policy.RuleDefault] = [
    *(
        rule(f"placement:{resource}:{verb}", SERVICE, f"{verb} of {resource.replace(':', ' of ')}.")
        for resource, verbs in _INTERNAL.items()
        for verb in verbs
    ),
    rule("placement:usages", f"{READER} or role:service", "How much the own project uses."),
]
