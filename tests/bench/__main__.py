"""All benches, or those named, on the cloud of this machine; at the end one table with the bars.

As root, with /etc/cumulet/openrc, a project with room for ten servers, and nothing else going on: ``make bench``, or
``python -m tests.bench lists boot``; with ``--write`` the figures go into docs/performance.md. Wall times are those of
this machine at this moment: the load average when each was taken is told beside it. CPU times and ratios to libvirt
alone bear a busy machine better.
"""

import argparse
import sys
import time
import traceback

from tests.bench import (
    boot,
    burst,
    creates,
    lists,
    memory,
    page,
    ports,
    routers,
    rows,
    rules,
    start,
    volumes,
    wiring,
    writers,
)
from tests.bench.cloud import Cloud
from tests.bench.result import Result, table

#: In this order: memory after the work, and the restart at the end, and memory after that.
PARTS = {
    "lists": lists.measure,
    "rows": rows.measure,
    "creates": creates.measure,
    "writers": writers.measure,
    "boot": boot.measure,
    "burst": burst.measure,
    "ports": ports.measure,
    "rules": rules.measure,
    "volumes": volumes.measure,
    "memory": memory.measure,
    "wiring": wiring.measure,
    "routers": routers.measure,
    "start": start.measure,
    "idle": memory.measure_idle,
}


def main() -> None:
    """The benches, each told as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all when none")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    arguments = parser.parse_args()
    wanted = arguments.parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    results: list[Result] = []
    failed: list[str] = []
    for name in wanted:
        began = time.monotonic()
        found: list[Result] = []
        try:
            found.extend(PARTS[name](Cloud()))
        except Exception:  # told here and by the status; the parts that went well are not lost for it
            traceback.print_exc()
            failed.append(name)
        print(f"--- {name}, {time.monotonic() - began:.0f} s\n{table(found)}", flush=True)
        results += found
    if len(wanted) > 1:
        print(f"\n{table(results)}")
    if arguments.write:
        page.write(results)
    if failed:
        sys.exit(f"not measured to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
