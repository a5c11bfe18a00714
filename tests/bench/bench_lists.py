"""What lists cost: CPU of the whole cloud (MariaDB and broker included) and wall time of each request."""

import argparse
import time

from tests.bench.cloud import Cloud, cpu_s, told

LISTS = {
    "servers/detail": ("compute", "/servers/detail"),
    "flavors/detail": ("compute", "/flavors/detail"),
    "networks": ("network", "/v2.0/networks"),
    "subnets": ("network", "/v2.0/subnets"),
    "ports": ("network", "/v2.0/ports"),
    "security-groups": ("network", "/v2.0/security-groups"),
    "images": ("image", "/v2/images"),
    "volumes/detail": ("volumev3", "/volumes/detail"),
}


def main() -> None:
    """The bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=100, help="requests a round; the best of five rounds is told")
    given = parser.parse_args()
    cloud = Cloud()
    for name, (service, path) in LISTS.items():
        best = min(_round(cloud, service, path, given.n) for _ in range(5))
        walls = [_once(cloud, service, path) for _ in range(given.n)]
        told(f"GET {name}, s", walls)
        print(f"{'':<44} CPU {best * 1e3:.2f} ms a request")


def _round(cloud: Cloud, service: str, path: str, count: int) -> float:
    cpu = cpu_s()
    for _ in range(count):
        cloud.get(service, path)
    return (cpu_s() - cpu) / count


def _once(cloud: Cloud, service: str, path: str) -> float:
    began = time.perf_counter()
    cloud.get(service, path)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
