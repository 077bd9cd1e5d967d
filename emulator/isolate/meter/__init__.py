"""The CPU meter: what each event may spend, and how the one that spends more is cut."""
