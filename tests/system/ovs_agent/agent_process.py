"""The agent's handlers under a real loop and ledger, without a bus: commands as JSON lines on stdin, reports
on stdout. Run inside a pretended host: ``agent_process.py STATE_PATH TUNNEL_IP``."""

import contextlib
import json
import logging
import os
import pathlib
import sys
import threading
import time

import msgspec
from oslo_config import cfg

import runtime.lean
from contract.document import Envelope, Key, Tombstone
from ovs_agent import agent, options
from runtime import settings
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop

_output = threading.Lock()


def say(**words):
    """One JSON line to the test."""
    with _output:
        print(json.dumps(words), flush=True)


def main():
    """Runs until stdin closes."""
    assert runtime.lean
    level = logging.DEBUG if "DEBUG" in sys.argv else logging.INFO
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("ovsdbapp").setLevel(logging.WARNING)
    conf = cfg.ConfigOpts()
    settings.register(conf)
    conf([])
    conf.set_override("state_path", sys.argv[1])
    conf.set_override("my_ip", sys.argv[2])
    options.register(conf)
    conf.set_override("bridge_mappings", {"public": "br-ex"}, group=options.GROUP)
    ledger = Ledger(pathlib.Path(sys.argv[1], "ovs-agent", "ledger.db"))
    with contextlib.ExitStack() as stack:
        holder = []
        parts = agent.build(conf, ledger, lambda keys: [loop.poke(keys) for loop in holder], stack)
        loop = Loop(ledger, parts.handlers, lambda key: None, lambda report: publish(ledger, report))
        holder.append(loop)
        loop.start()
        stack.callback(loop.stop)
        loop.poke(sorted(ledger.keys(), key=lambda key: parts.order.index(key.kind)))
        say(ready=os.getpid())
        for line in sys.stdin:
            serve(json.loads(line), ledger, loop, parts)


def publish(ledger, report):
    """Passes a report on, and takes it in as the controller would."""
    fault = report.fault.message + " " + report.fault.details if report.fault else ""
    say(
        kind=report.kind,
        id=report.id,
        state=report.state,
        digest=report.digest,
        fault=fault,
        observed=json.loads(report.observed),
        at=time.time(),
    )
    ledger.acknowledge((report.sequence,))


def serve(command, ledger, loop, parts):
    """One command of the test."""
    if "store" in command:
        envelopes = [Envelope(**{**item, "body": item["body"].encode()}) for item in command["store"]]
        for envelope in envelopes:
            ledger.store(envelope)
        loop.poke([envelope.key for envelope in envelopes])
    elif "bury" in command:
        keys = [Key(kind, resource_id) for kind, resource_id in command["bury"]]
        for key in keys:
            ledger.bury(Tombstone(kind=key.kind, id=key.id, revision=time.time_ns()))
        loop.poke(keys)
    elif "idle" in command:
        say(idle=loop.wait_idle(command["idle"]))
    elif "inspect" in command:
        findings = parts.inspect().findings
        say(
            inspect=[[f.kind, f.id, f.place, f.is_known] for f in findings],
            lacks=[f.lacks for f in findings if f.lacks],
        )
    elif "trace" in command:
        method = parts.methods["trace_packet"]
        answer = method.handle(msgspec.convert(command["trace"], method.request), "")
        say(trace=msgspec.to_builtins(answer))
    elif "describe" in command:
        say(describe=parts.describe()[0].datapath_type)


if __name__ == "__main__":
    main()
