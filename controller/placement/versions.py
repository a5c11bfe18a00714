"""Microversions of placement as data: what came with each, by name."""

from controller.web.versions import Microversions, Version

MICROVERSIONS = Microversions("placement", Version(1, 0), Version(1, 39))

AGGREGATES = Version(1, 1)
RESOURCE_CLASSES = Version(1, 2)
MEMBER_OF = Version(1, 3)
RESOURCES_FILTER = Version(1, 4)
DELETE_INVENTORIES = Version(1, 5)
TRAITS = Version(1, 6)
CLASS_BY_PUT = Version(1, 7)  # PUT of a resource class without a body
OWNERS = Version(1, 8)  # project_id and user_id in allocations
USAGES = Version(1, 9)
CANDIDATES = Version(1, 10)
ALLOCATIONS_LINK = Version(1, 11)
ALLOCATIONS_BY_PROVIDER = Version(1, 12)  # allocations as an object, owners shown
MANY_ALLOCATIONS = Version(1, 13)  # POST /allocations
TREES = Version(1, 14)  # parent and root of a provider
TIMES = Version(1, 15)  # Last-Modified and Cache-Control
LIMIT = Version(1, 16)
REQUIRED_BY_CANDIDATES = Version(1, 17)
REQUIRED = Version(1, 18)
AGGREGATE_GENERATION = Version(1, 19)
PROVIDER_BODY = Version(1, 20)  # POST of a provider answers 200 with it
MEMBER_OF_BY_CANDIDATES = Version(1, 21)
FORBIDDEN_TRAITS = Version(1, 22)
MANY_MEMBER_OF = Version(1, 24)
GROUPS = Version(1, 25)  # resources1=, required1=, …
ALL_RESERVED = Version(1, 26)  # reserved may equal total
ALL_CLASSES = Version(1, 27)  # provider summaries show every class
CONSUMER_GENERATION = Version(1, 28)
NESTED = Version(1, 29)
RESHAPER = Version(1, 30)
IN_TREE_BY_CANDIDATES = Version(1, 31)
FORBIDDEN_AGGREGATES = Version(1, 32)
NAMED_GROUPS = Version(1, 33)
MAPPINGS = Version(1, 34)
ROOT_REQUIRED = Version(1, 35)
SAME_SUBTREE = Version(1, 36)
REPARENTING = Version(1, 37)
CONSUMER_TYPES = Version(1, 38)
ANY_TRAITS = Version(1, 39)  # required=in:A,B
