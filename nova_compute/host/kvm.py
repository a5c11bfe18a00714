"""Boots a tiny guest under KVM, to learn whether KVM runs guests here: the device file says too little.

The guest is a firmware of 256 bytes. It enters 64-bit mode with paging, counts ten million down and
leaves through QEMU's debug exit. Under hardware virtualization that takes milliseconds; where guests
hang, or are interpreted one instruction at a time, it never gets there.
"""

import pathlib
import tempfile

from nova_compute.host import limited

#: cli; page tables at 0x1000-0x3000 map the first 2 MiB; lgdt; CR4.PAE, CR3, EFER.LME, CR0.PG|PE; far jump
#: to 64-bit code: mov ecx,10000000; dec ecx; jnz; mov al,0x10; out 0xf4,al; hlt. Behind it the GDT.
_CODE = bytes.fromhex(
    "fa31c08ed866c70600100320000066c70604100000000066c70600200330000066c70604200000000066c70600"
    "308300000066c7060430000000002e660f011698ff66b8200000000f22e066b8001000000f22d866b9800000c0"
    "0f32660d000100000f3066b8110000800f22c066ea75ff0f000800b980969800ffc975fcb010e6f4f4ebfd8d74"
    "000000000000000000ffff0000009aaf000f0088ff0f"
)
#: What the CPU runs first: jmp far 0xf000:0xff00.
_RESET_VECTOR = bytes.fromhex("ea00ff00f0")
_ROM_BYTES, _CODE_AT, _RESET_AT = 0x10000, 0xFF00, 0xFFF0
#: The debug exit turns the guest's 0x10 into (0x10 << 1) | 1.
_REACHED = "ended with 33:"


def runs_guests(timeout_s: float) -> bool:
    """Whether the tiny guest runs to its end in time."""
    if not pathlib.Path("/dev/kvm").exists():
        return False
    with tempfile.NamedTemporaryFile(prefix="kvm-probe-") as file:
        file.write(rom())
        file.flush()
        return _reaches_end(file.name, "kvm", "host", timeout_s)


def rom() -> bytes:
    """The firmware."""
    image = bytearray(_ROM_BYTES)
    image[_CODE_AT : _CODE_AT + len(_CODE)] = _CODE
    image[_RESET_AT : _RESET_AT + len(_RESET_VECTOR)] = _RESET_VECTOR
    return bytes(image)


def _reaches_end(firmware: str, accelerator: str, cpu: str, timeout_s: float) -> bool:
    machine = ["-machine", f"pc,accel={accelerator}", "-cpu", cpu, "-m", "16", "-bios", firmware]
    bare = ["-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"]
    door = ["-device", "isa-debug-exit,iobase=0xf4,iosize=1"]
    limits = limited.Limits(timeout_s=timeout_s, address_space_bytes=4 << 30)
    try:
        limited.run(["qemu-system-x86_64", *machine, *bare, *door], limits)
    except limited.ProgramError as error:
        return _REACHED in str(error)
    return False
