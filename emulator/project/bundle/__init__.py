"""The size of a JavaScript Worker as ``wrangler deploy`` tells it, by the project's own esbuild."""

from emulator.project.bundle.esbuild import EsbuildFailed, find_esbuild
from emulator.project.bundle.wrangler import Bundle, bundle

__all__ = ["Bundle", "EsbuildFailed", "bundle", "find_esbuild"]
