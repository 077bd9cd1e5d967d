"""cfw-emu: a local emulator for Cloudflare Workers written in Python and Go."""
