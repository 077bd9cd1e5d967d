"""``cfw-emu`` as a program whose isolates are ``fake_isolate``: ``python fake_serve.py serve ...``."""

from __future__ import annotations

from emulator.cli.commands import cfw_emu
from emulator.fleet.launch import launch

if __name__ == "__main__":
    cfw_emu.main(prog_name="cfw-emu", obj=launch("fake_isolate"))
