"""What the engine has no use for stays out of its memory."""

import subprocess
import sys


def test_the_engine_does_without_the_apis() -> None:
    program = (
        "import sys, controller.main.engine\n"
        "print(*sorted(m for m in sys.modules if m.startswith('controller.') and m.endswith('.routes')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
