"""Every URL of identity: its table of contents."""

from controller.identity.application_credentials.api import (
    ApplicationCredentialApi,
    ApplicationCredentialsApi,
)
from controller.identity.assignments import grants
from controller.identity.assignments.api import RoleAssignmentsApi
from controller.identity.catalog.endpoints import EndpointApi, EndpointsApi
from controller.identity.catalog.regions import RegionApi, RegionsApi
from controller.identity.catalog.services import ServiceApi, ServicesApi
from controller.identity.credentials import CredentialApi, CredentialsApi
from controller.identity.discovery import VersionApi, VersionsApi
from controller.identity.groups.api import GroupApi, GroupsApi, GroupUserApi, GroupUsersApi
from controller.identity.policy_texts import PoliciesApi, PolicyApi
from controller.identity.projects.api import ProjectApi, ProjectsApi
from controller.identity.projects.domains import DomainApi, DomainsApi
from controller.identity.projects.tags import TagApi, TagsApi
from controller.identity.roles.api import RoleApi, RolesApi
from controller.identity.roles.implied import ImpliedRoleApi, ImpliedRolesApi, InferencesApi
from controller.identity.tokens.api import (
    AuthCatalogApi,
    AuthDomainsApi,
    AuthProjectsApi,
    AuthSystemApi,
    TokensApi,
)
from controller.identity.users.api import UserApi, UserGroupsApi, UserProjectsApi, UsersApi
from controller.identity.users.password import PasswordApi
from controller.web import errors
from controller.web.app import Service
from controller.web.resource import Route

_PROJECT_USER = "/v3/projects/{project_id}/users/{user_id}/roles"
_PROJECT_GROUP = "/v3/projects/{project_id}/groups/{group_id}/roles"
_DOMAIN_USER = "/v3/domains/{domain_id}/users/{user_id}/roles"
_DOMAIN_GROUP = "/v3/domains/{domain_id}/groups/{group_id}/roles"
_INHERIT_PROJECT_USER = "/v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles"
_INHERIT_PROJECT_GROUP = "/v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles"
_INHERIT_DOMAIN_USER = "/v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles"
_INHERIT_DOMAIN_GROUP = "/v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles"

ROUTES: list[Route] = [
    ("/", VersionsApi),
    ("/v3", VersionApi),
    ("/v3/auth/tokens", TokensApi),
    ("/v3/auth/catalog", AuthCatalogApi),
    ("/v3/auth/projects", AuthProjectsApi),
    ("/v3/auth/domains", AuthDomainsApi),
    ("/v3/auth/system", AuthSystemApi),
    ("/v3/domains", DomainsApi),
    ("/v3/domains/{domain_id}", DomainApi),
    ("/v3/projects", ProjectsApi),
    ("/v3/projects/{project_id}", ProjectApi),
    ("/v3/projects/{project_id}/tags", TagsApi),
    ("/v3/projects/{project_id}/tags/{tag}", TagApi),
    ("/v3/users", UsersApi),
    ("/v3/users/{user_id}", UserApi),
    ("/v3/users/{user_id}/password", PasswordApi),
    ("/v3/users/{user_id}/projects", UserProjectsApi),
    ("/v3/users/{user_id}/groups", UserGroupsApi),
    ("/v3/users/{user_id}/application_credentials", ApplicationCredentialsApi),
    ("/v3/users/{user_id}/application_credentials/{credential_id}", ApplicationCredentialApi),
    ("/v3/credentials", CredentialsApi),
    ("/v3/credentials/{credential_id}", CredentialApi),
    ("/v3/policies", PoliciesApi),
    ("/v3/policies/{policy_id}", PolicyApi),
    ("/v3/groups", GroupsApi),
    ("/v3/groups/{group_id}", GroupApi),
    ("/v3/groups/{group_id}/users", GroupUsersApi),
    ("/v3/groups/{group_id}/users/{user_id}", GroupUserApi),
    ("/v3/roles", RolesApi),
    ("/v3/roles/{role_id}", RoleApi),
    ("/v3/roles/{role_id}/implies", ImpliedRolesApi),
    ("/v3/roles/{role_id}/implies/{implied_id}", ImpliedRoleApi),
    ("/v3/role_inferences", InferencesApi),
    ("/v3/role_assignments", RoleAssignmentsApi),
    (_PROJECT_USER, grants.of("project", "user")),
    (_PROJECT_USER + "/{role_id}", grants.one_of("project", "user")),
    (_PROJECT_GROUP, grants.of("project", "group")),
    (_PROJECT_GROUP + "/{role_id}", grants.one_of("project", "group")),
    (_DOMAIN_USER, grants.of("domain", "user")),
    (_DOMAIN_USER + "/{role_id}", grants.one_of("domain", "user")),
    (_DOMAIN_GROUP, grants.of("domain", "group")),
    (_DOMAIN_GROUP + "/{role_id}", grants.one_of("domain", "group")),
    ("/v3/system/users/{user_id}/roles", grants.of("system", "user")),
    ("/v3/system/users/{user_id}/roles/{role_id}", grants.one_of("system", "user")),
    ("/v3/system/groups/{group_id}/roles", grants.of("system", "group")),
    ("/v3/system/groups/{group_id}/roles/{role_id}", grants.one_of("system", "group")),
    (_INHERIT_PROJECT_USER + "/inherited_to_projects", grants.of("project", "user", True)),
    (_INHERIT_PROJECT_USER + "/{role_id}/inherited_to_projects", grants.one_of("project", "user", True)),
    (_INHERIT_PROJECT_GROUP + "/inherited_to_projects", grants.of("project", "group", True)),
    (_INHERIT_PROJECT_GROUP + "/{role_id}/inherited_to_projects", grants.one_of("project", "group", True)),
    (_INHERIT_DOMAIN_USER + "/inherited_to_projects", grants.of("domain", "user", True)),
    (_INHERIT_DOMAIN_USER + "/{role_id}/inherited_to_projects", grants.one_of("domain", "user", True)),
    (_INHERIT_DOMAIN_GROUP + "/inherited_to_projects", grants.of("domain", "group", True)),
    (_INHERIT_DOMAIN_GROUP + "/{role_id}/inherited_to_projects", grants.one_of("domain", "group", True)),
    ("/v3/regions", RegionsApi),
    ("/v3/regions/{region_id}", RegionApi),
    ("/v3/services", ServicesApi),
    ("/v3/services/{service_id}", ServiceApi),
    ("/v3/endpoints", EndpointsApi),
    ("/v3/endpoints/{endpoint_id}", EndpointApi),
]

SERVICE = Service(
    name="identity",
    prefix="/identity",
    routes=ROUTES,
    envelope=errors.keystone_envelope,
    public=frozenset({"", "/", "/v3", "/v3/auth/tokens"}),
)
