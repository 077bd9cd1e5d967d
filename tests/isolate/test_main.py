"""The isolate's program, as the fork server runs it."""

from __future__ import annotations

import subprocess
import sys

_ORPHANED_AT_BIRTH = """
import os, socket, tempfile
from emulator.isolate import main

main.preload()
ours, theirs = socket.socketpair()
ours.close()
pid = os.fork()
if pid == 0:
    recorder = tempfile.TemporaryFile()
    recorder.truncate(65536)
    main.run(theirs, recorder.fileno())
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
"""


def test_an_isolate_whose_front_is_gone_from_the_start_ends() -> None:
    # Without an end it would wait for ever: nobody else ends an isolate whose fork server died, too.
    done = subprocess.run([sys.executable, "-c", _ORPHANED_AT_BIRTH], capture_output=True, timeout=30)

    assert (done.returncode, done.stderr) == (0, b"")
