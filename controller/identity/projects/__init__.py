"""Projects and domains: what resources belong to. A domain is a project with ``is_domain``."""

from controller.identity.projects.lock import lock

__all__ = ["lock"]
