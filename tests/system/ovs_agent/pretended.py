"""A pretended host for tests: namespaces of its own with a private Open vSwitch, guests as veth pairs, and
the agent as a process that may be killed and started again."""

import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

import msgspec

from contract.document import digest, encode

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
PATH = ":".join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
NEEDED = (
    "unshare",
    "nsenter",
    "ip",
    "ovs-vsctl",
    "ovs-ofctl",
    "ovsdb-server",
    "ovs-vswitchd",
    "dnsmasq",
    "busybox",
)


class Host:
    """One pretended host. Needs root."""

    def __init__(self, directory, name="h1", address=""):
        missing = [program for program in NEEDED if shutil.which(program) is None]
        assert not missing, f"install what these tests need: {missing}"
        assert os.geteuid() == 0, "these tests need root"
        self.directory = pathlib.Path(directory)
        self.name = name
        self.tunnel_ip = address.partition("/")[0] or "127.0.0.1"
        self.agent = None
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--uts", "--pid", "--ipc"),
                *("--fork", "--kill-child", "--mount-proc"),
                *("bash", str(HERE / "host_init.sh"), str(self.directory), name, address),
            ],
            stdin=subprocess.DEVNULL,
            stdout=(self.directory / "init.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        self.pid = self._child()
        if not address:
            self.await_ready()

    def _child(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(eventually(lambda: path.read_text().split(), 10)[0])

    def await_ready(self):
        """Waits until Open vSwitch runs."""
        eventually((self.directory / "ready").exists, 15, lambda: (self.directory / "init.log").read_text())

    def enter(self, *command):
        """The command line that runs ``command`` on this host."""
        return ["nsenter", "-t", str(self.pid), "-m", "-n", "-u", "-p", "-i", "--", *command]

    def run(self, *command, check=True, **options):
        """Runs a command on this host and returns its output."""
        options.setdefault("timeout", 60)
        done = subprocess.run(self.enter(*command), capture_output=True, text=True, check=False, **options)
        assert not check or done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout

    def start(self, *command, **options):
        """Starts a command on this host."""
        return subprocess.Popen(self.enter(*command), text=True, **options)

    def python(self, text):
        """Runs Python with the project's packages on this host."""
        return self.run("env", f"PYTHONPATH={PATH}", sys.executable, "-c", text)

    def start_agent(self):
        """Starts the agent and waits until it listens."""
        self.agent = Agent(self)
        return self.agent

    def guest(self, name, port, address=None, gateway=None):
        """Plugs a guest: a namespace whose eth0 has the port's MAC, its other end a tap on br-int."""
        return Guest(self, name, port, address, gateway)

    def stop(self):
        """Ends everything on this host; safe to repeat."""
        if self.process.poll() is not None:
            return
        if self.agent is not None:
            self.agent.kill()
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait(timeout=10)


class Agent:
    """The agent's process on a host."""

    def __init__(self, host):
        self.host = host
        self.reports = {}
        self.answers = queue.Queue()
        self.process = host.start(
            "env",
            f"PYTHONPATH={PATH}",
            *([f"CUMULET_FAULTS={host.faults}"] if getattr(host, "faults", "") else []),
            sys.executable,
            str(HERE / "agent_process.py"),
            str(host.directory / "state"),
            host.tunnel_ip,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(host.directory / "agent.log").open("a"),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = self.answers.get(timeout=60)["ready"]

    def _read(self):
        for line in self.process.stdout:
            words = json.loads(line)
            if "kind" in words:
                self.reports[words["kind"], words["id"]] = words
            else:
                self.answers.put(words)

    def _say(self, **words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def store(self, *documents):
        """Hands documents over as a sync would."""
        self._say(store=[envelope(document) for document in documents])

    def bury(self, *documents):
        """Orders documents' resources removed."""
        self._say(bury=[[type(d).KIND, d.id] for d in documents])

    def ask(self, **words):
        """A command with an answer."""
        self._say(**words)
        return self.answers.get(timeout=60)

    def report(self, document, state="applied", timeout_s=20, **observed):
        """Waits for a report on exactly this document."""
        wanted = digest(encode(document))

        def found():
            words = self.reports.get((type(document).KIND, document.id))
            if words is None or words["state"] != state or (state != "removed" and words["digest"] != wanted):
                return None
            return words if all((words["observed"] or {}).get(k) == v for k, v in observed.items()) else None

        return eventually(found, timeout_s, lambda: f"{type(document).KIND}: {self.log()}")

    def log(self):
        """The end of the agent's log."""
        text = (self.host.directory / "agent.log").read_text()
        return f"reports {list(self.reports.values())[-8:]}\n{text[-4000:]}"

    def kill(self):
        """Ends the agent as a crash would: itself, as nsenter is only its parent."""
        self.host.run("kill", "-9", str(self.pid), check=False)
        self.process.wait(timeout=10)

    def stop(self):
        """Ends the agent in order."""
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Guest:
    """A namespace that plays a guest."""

    def __init__(self, host, name, port, address=None, gateway=None):
        self.host, self.name, self.port = host, name, port
        self.tap = f"tap{name}"
        host.run("ip", "netns", "add", name)
        host.run("ip", "link", "add", self.tap, "type", "veth", "peer", "name", f"e{name}")
        for link in (self.tap, f"e{name}"):
            host.run("ethtool", "-K", link, "tx", "off")
        host.run("ip", "link", "set", f"e{name}", "netns", name)
        self.run("ip", "link", "set", f"e{name}", "name", "eth0")
        self.run("ip", "link", "set", "eth0", "address", port.mac_address)
        self.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0", "net.ipv6.conf.eth0.accept_dad=0")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")
        host.run("ip", "link", "set", self.tap, "up")
        if address:
            self.run("ip", "addr", "add", address, "dev", "eth0")
        if gateway:
            self.run("ip", "route", "add", "default", "via", gateway)

    def plug(self):
        """Adds the tap to br-int as libvirt does."""
        ids = f"external_ids:iface-id={self.port.id}"
        self.host.run("ovs-vsctl", "add-port", "br-int", self.tap, "--", "set", "interface", self.tap, ids)
        return self

    def unplug(self):
        """Takes it off, as when the server is destroyed."""
        self.host.run("ovs-vsctl", "--if-exists", "del-port", self.tap)

    def remove(self):
        """Ends the guest."""
        self.unplug()
        self.host.run("ip", "netns", "delete", self.name)

    def mark(self):
        """What the agent wrote on the tap's row."""
        text = self.host.run(
            "ovs-vsctl",
            "--if-exists",
            "get",
            "interface",
            self.tap,
            "external_ids:cumulet-wired",
            check=False,
        )
        return text.strip().strip('"')

    def await_wired(self, timeout_s=20):
        """Waits for the mark."""
        return eventually(self.mark, timeout_s, lambda: self.host.agent.log() if self.host.agent else "")

    def enter(self, *command):
        """The words that run a command in the guest, on its host."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, **options):
        """Runs a command in the guest."""
        return self.host.run(*self.enter(*command), **options)

    def start(self, *command, **options):
        """Starts a command in the guest."""
        return self.host.start(*self.enter(*command), **options)

    def reaches(self, address, count=2, family="-4"):
        """Whether a ping is answered."""
        out = self.run("ping", family, "-c", str(count), "-i", "0.2", "-W", "1", address, check=False)
        return " 0% packet loss" in out

    def python(self, text, check=True):
        """Runs Python (scapy is there) in the guest and returns its output."""
        return self.run("env", f"PYTHONPATH={PATH}", sys.executable, "-c", text, check=check)

    def lease(self, *options):
        """Asks for an address by DHCP, and for ``options`` by number; returns what the client was told, as a dict."""
        script = self.host.directory / "udhcpc.sh"
        script.write_text('#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n')
        script.chmod(0o755)
        client = [
            *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
            "busybox",
            "udhcpc",
            "-i",
            "eth0",
            "-f",
            "-q",
            "-n",
            "-t",
            "4",
            "-T",
            "1",
            "-s",
            str(script),
        ]
        wishes = [word for option in (3, 6, 12, 15, 26, 121, *options) for word in ("-O", str(option))]
        out = self.run(*client, *wishes, check=False)
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def get(self, url, *options):
        """The body of a URL, after the status."""
        return self.run("curl", "-sS", "-m", "5", "-w", "\n%{http_code}", *options, url, check=False)


def envelope(document):
    """A document as the agent process takes it."""
    body = encode(document)
    return {
        "kind": type(document).KIND,
        "id": document.id,
        "version": 1,
        "digest": digest(body),
        "revision": time.time_ns(),
        "body": body.decode(),
    }


def eventually(see, timeout_s, explain=lambda: ""):
    """What ``see`` returns once it is true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            if found := see():
                return found
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s: {explain()}")


def changed(document, **fields):
    """The document with other fields."""
    return msgspec.structs.replace(document, **fields)
