"""wrangler.toml | .json | .jsonc -> a frozen ``Config``; environments; ``.dev.vars`` and ``.env``."""

from emulator.config.load import CONFIG_NAMES, find_config, load_config, parse_var
from emulator.config.model import Config, ConfigError

__all__ = ["CONFIG_NAMES", "Config", "ConfigError", "find_config", "load_config", "parse_var"]
