"""Host and domain names: what reaches DHCP configuration, so strictly letters, digits, dash and dot."""

from controller.web import schema

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

#: One label, or a name of several; empty for none.
DNS_NAME: schema.Schema = {"type": "string", "maxLength": 255, "pattern": rf"^({_LABEL}(\.{_LABEL})*\.?)?\Z"}
DNS_DOMAIN: schema.Schema = {"type": "string", "maxLength": 255, "pattern": rf"^({_LABEL}(\.{_LABEL})*\.)?\Z"}
