"""Known mistakes -> explanation and fix, rendered for terminal, HTML, text and JSON.

Nothing is imported here: every isolate imports ``emulator.diagnostics.report``.
"""
