"""Host and domain names: what reaches DHCP configuration, so strictly letters, digits, dash and dot."""

from controller.web import schema

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

#: One label, or a name of several, whose last one is not all of digits; empty for none.
DNS_NAME: schema.Schema = {
    "type": "string",
    "maxLength": 255,
    "pattern": rf"^(?!.*\.[0-9]+\.?\Z)({_LABEL}(\.{_LABEL})*\.?)?\Z",
}
DNS_DOMAIN: schema.Schema = {
    "type": "string",
    "maxLength": 253,
    "pattern": rf"^(?!.*\.[0-9]+\.\Z)({_LABEL}(\.{_LABEL})*\.)?\Z",
}
#: Without a dot at the end.
RELATIVE_DNS_NAME: schema.Schema = {
    **DNS_NAME,
    "maxLength": 252,
    "pattern": rf"^(?!.*\.\Z){DNS_NAME['pattern'][1:]}",
}
