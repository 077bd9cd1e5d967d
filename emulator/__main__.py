"""``python -m emulator``: the same as ``cfw-emu``."""

from emulator.cli import main

if __name__ == "__main__":
    main()
