"""Microversions as data: what a service speaks, what a request asks for, what the answer repeats."""

import re
from dataclasses import dataclass, field
from functools import total_ordering

from controller.web.errors import BadRequest, NotAcceptable


@total_ordering
@dataclass(frozen=True)
class Version:
    """A microversion such as 2.79."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """From "2.79". Raises ValueError."""
        match = re.fullmatch(r"([1-9]\d*)\.(0|[1-9]\d*)", text)
        if match is None:
            raise ValueError(text)
        return cls(int(match[1]), int(match[2]))

    def __lt__(self, other: "Version") -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class Microversions:
    """The range of one service. ``service_type`` is the word in OpenStack-API-Version; ``legacy_header``
    an older header with the bare number, or empty."""

    service_type: str
    minimum: Version
    maximum: Version
    legacy_header: str = ""
    aliases: tuple[str, ...] = field(default=())

    def asked(self, standard: str | None, legacy: str | None) -> Version:
        """The version of a request from its two headers.

        Raises BadRequest for what is no version, NotAcceptable for one out of range.
        """
        text = self._from_standard(standard) or (legacy or "").strip()
        if not text:
            return self.minimum
        if text == "latest":
            return self.maximum
        try:
            version = Version.parse(text)
        except ValueError:
            raise BadRequest(
                f"API Version String '{text}' is of invalid format. Must be of format MajorNum.MinorNum."
            ) from None
        if not self.minimum <= version <= self.maximum:
            raise NotAcceptable(
                f"Version {version} is not supported by the API. Minimum is "
                f"{self.minimum} and maximum is {self.maximum}."
            )
        return version

    def echo(self, version: Version) -> dict[str, str]:
        """Headers of the answer."""
        headers = {"OpenStack-API-Version": f"{self.service_type} {version}", "Vary": "OpenStack-API-Version"}
        if self.legacy_header:
            headers[self.legacy_header] = str(version)
            headers["Vary"] = f"OpenStack-API-Version, {self.legacy_header}"
        return headers

    def _from_standard(self, header: str | None) -> str:
        for part in (header or "").split(","):
            words = part.split()
            if len(words) == 2 and words[0].lower() in (self.service_type, *self.aliases):
                return words[1]
        return ""


#: For services without microversions.
UNVERSIONED = Version(0, 0)
