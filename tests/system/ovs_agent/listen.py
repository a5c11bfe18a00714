"""What frames a guest gets while something happens."""

import json
import sys
import time

from pretended import PATH

LISTEN = """
import json, sys
from scapy.all import AsyncSniffer
import time
seen = []
sniffer = AsyncSniffer(iface="eth0", prn=lambda p: seen.append(bytes(p)), store=False)
sniffer.start(); time.sleep(0.5); print("on", flush=True)
sys.stdin.readline(); sniffer.stop()
print(json.dumps([frame.hex() for frame in seen]))
"""


def heard(listener, act):
    """The frames that the listener got while ``act`` ran."""
    command = ("env", f"PYTHONPATH={PATH}", sys.executable, "-c", LISTEN)
    process = listener.start(*command, stdin=-1, stdout=-1)
    assert process.stdout.readline() == "on\n"
    act()
    time.sleep(0.5)
    out, _ = process.communicate("\n", timeout=30)
    return [bytes.fromhex(text) for text in json.loads(out)]
