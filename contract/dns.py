"""What an address is called: shown by the controller, served by every host, and so the same function for both.

The rules are those of neutron's ``dns_assignment``.
"""

#: Bytes of a fully qualified name, as the Networking API has it.
MOST = 255


def assigned(dns_name: str, domain: str, ip_address: str) -> tuple[str, str]:
    """Host name and fully qualified name of an address of a port that is called ``dns_name``.

    ``domain`` ends with a dot, or is empty. A port without a name, or with one that cannot be in the domain, is called
    by its address.
    """
    name = dns_name.lower()
    if name and is_within(name, domain):
        return name, name if name.endswith(".") else f"{name}.{domain}"
    generic = f"host-{ip_address.replace('.', '-').replace(':', '-')}"
    return generic, f"{generic}.{domain}"


def is_within(name: str, domain: str) -> bool:
    """Whether a name, relative or with a dot at its end, is one of the domain."""
    if name.endswith("."):
        return len(name) <= MOST and bool(domain) and name.endswith(f".{domain}")
    return len(name) + len(f".{domain}") <= MOST
