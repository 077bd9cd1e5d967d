"""The keys of a wrangler file: their types, whether environments inherit them, whether they work yet.

Source: https://developers.cloudflare.com/workers/wrangler/configuration/ and the JSON schema that wrangler
ships (``$schema``). Types are named in a small language that ``emulator.config.check`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Type = Literal[
    "any",
    "string",
    "boolean",
    "number",
    "object",
    "array",
    "string array",
    "objects",
    "string or array",
    "strings",
    "protocol",
    "name",
    "date",
]
Scope = Literal["top", "inherited", "own"]
"""``top``: only at the top level; ``inherited`` by environments; ``own``: each environment has its own."""


class Key(NamedTuple):
    type: Type
    scope: Scope = "inherited"
    emulated: bool = True
    """False: accepted, but this release does nothing with it."""
    fields: Mapping[str, Type] = {}
    """The keys inside, where they are all known."""
    nullable: bool = False
    """``null`` is as good as nothing; wrangler refuses it elsewhere."""


_BINDING_LISTS: Final = (
    "kv_namespaces",
    "d1_databases",
    "r2_buckets",
    "workflows",
    "services",
    "ratelimits",
    "hyperdrive",
    "send_email",
    "analytics_engine_datasets",
    "secrets_store_secrets",
    "worker_loaders",
    "pipelines",
    "vectorize",
    "ai_search_namespaces",
    "ai_search",
    "agent_memory",
    "dispatch_namespaces",
    "mtls_certificates",
    "tail_consumers",
    "streaming_tail_consumers",
    "artifacts",
    "flagship",
    "unsafe_hello_world",
    "vpc_services",
    "vpc_networks",
    "containers",
    "connect",
)

_NULLABLE_LISTS: Final = ("tail_consumers", "streaming_tail_consumers", "containers")

_BINDING_OBJECTS: Final = (
    "durable_objects",
    "queues",
    "ai",
    "browser",
    "images",
    "stream",
    "media",
    "websearch",
    "version_metadata",
    "unsafe",
    "cloudchamber",
)

_HARMLESS: Final[Mapping[str, Type]] = {
    "account_id": "string",
    "workers_dev": "boolean",
    "preview_urls": "boolean",
    "jsx_factory": "string",
    "jsx_fragment": "string",
    "tsconfig": "string",
    "find_additional_modules": "boolean",
    "preserve_file_names": "boolean",
    "base_dir": "string",
    "no_bundle": "boolean",
    "minify": "boolean",
    "keep_names": "boolean",
    "first_party_worker": "boolean",
    "logpush": "boolean",
    "upload_source_maps": "boolean",
    "observability": "object",
    "compliance_region": "string",
    "placement": "object",
    "previews": "object",
}
"""Keys that matter when deploying only, or that serving from source satisfies as it is."""

KEYS: Final[Mapping[str, Key]] = {
    "name": Key("name"),
    "main": Key("string"),
    "compatibility_date": Key("date"),
    "compatibility_flags": Key("string array"),
    **{name: Key(type, nullable=name == "placement") for name, type in _HARMLESS.items()},
    "vars": Key("object", "own"),
    "secrets": Key("object", "own", fields={"required": "string array"}),
    "define": Key("strings", "own", emulated=False),
    **{
        name: Key("objects", "own", emulated=False, nullable=name in _NULLABLE_LISTS)
        for name in _BINDING_LISTS
    },
    **{name: Key("object", "own", emulated=False) for name in _BINDING_OBJECTS},
    "route": Key("any", emulated=False),
    "routes": Key("array", emulated=False),
    "rules": Key("objects", nullable=True),
    "build": Key(
        "object",
        fields={"command": "string", "cwd": "string", "watch_dir": "string or array"},
        nullable=True,
    ),
    "migrations": Key("objects", emulated=False, nullable=True),
    "exports": Key("object", emulated=False),
    "triggers": Key(
        "object", emulated=False, fields={"crons": "string array", "events": "objects"}, nullable=True
    ),
    "limits": Key("object", fields={"cpu_ms": "number", "subrequests": "number"}, nullable=True),
    "assets": Key("object", emulated=False),
    "access": Key("object", emulated=False),
    "cache": Key("object", emulated=False),
    "python_modules": Key("object", emulated=False, fields={"exclude": "string array"}),
    "logfwdr": Key("object", emulated=False),
    "$schema": Key("string", "top"),
    "env": Key("object", "top", nullable=True),
    "send_metrics": Key("boolean", "top"),
    "keep_vars": Key("boolean", "top"),
    "dependencies_instrumentation": Key("object", "top"),
    "addresses": Key("string array", "top", emulated=False),
    "pages_build_output_dir": Key("string", "top", emulated=False),
    "alias": Key("strings", "top", emulated=False),
    "site": Key("object", "top", emulated=False),
    "wasm_modules": Key("object", "top", emulated=False),
    "text_blobs": Key("object", "top", emulated=False),
    "data_blobs": Key("object", "top", emulated=False),
    "dev": Key(
        "object",
        "top",
        fields={
            "ip": "string",
            "port": "number",
            "inspector_port": "number",
            "inspector_ip": "string",
            "local_protocol": "protocol",
            "upstream_protocol": "protocol",
            "host": "string",
            "enable_containers": "boolean",
            "container_engine": "any",
            "generate_types": "boolean",
        },
        nullable=True,
    ),
}


class Removed(NamedTuple):
    reason: str
    instead: str = ""


REMOVED: Final[Mapping[str, Removed]] = {
    "node_compat": Removed(
        "Wrangler 4 removed it.", ' For JavaScript, compatibility_flags = ["nodejs_compat"] replaces it.'
    ),
    "legacy_env": Removed(
        "Service environments are gone; each environment is a Worker named <name>-<environment>."
    ),
    "usage_model": Removed("Usage models are set in the dashboard."),
    "type": Removed("It is from wrangler 1; the language follows from `main`."),
    "zone_id": Removed("It is from wrangler 1; write the zone in `routes`."),
    "webpack_config": Removed("It is from wrangler 1.", " A `build` command replaces it."),
}
"""Keys that wrangler once had."""
