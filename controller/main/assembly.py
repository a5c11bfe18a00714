"""The whole API on one page: services, and the rules of policy, that the slices bring."""

from oslo_policy.policy import RuleDefault

from controller.compute import policies as compute_policies
from controller.compute import routes as compute_routes
from controller.identity import policies as identity_policies
from controller.identity import routes as identity_routes
from controller.image import policies as image_policies
from controller.image import routes as image_routes
from controller.network import policies as network_policies
from controller.network import routes as network_routes
from controller.placement import policies as placement_policies
from controller.placement import routes as placement_routes
from controller.volume import policies as volume_policies
from controller.volume import routes as volume_routes
from controller.web.app import Service

SERVICES: list[Service] = [
    identity_routes.SERVICE,
    image_routes.SERVICE,
    image_routes.INTERNAL_SERVICE,
    placement_routes.SERVICE,
    network_routes.SERVICE,
    volume_routes.SERVICE,
    compute_routes.SERVICE,
]

RULES: list[RuleDefault] = [
    *identity_policies.RULES,
    *image_policies.RULES,
    *placement_policies.RULES,
    *network_policies.RULES,
    *volume_policies.RULES,
    *compute_policies.RULES,
]
