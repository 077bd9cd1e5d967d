"""Packages with native code that Pyodide builds for WebAssembly; other native packages do not run on Workers.

The list of Pyodide 0.28, which production runs: https://pyodide.org/en/0.28.2/usage/packages-in-pyodide.html
"""

from __future__ import annotations

from typing import Final

BUILT: Final = frozenset(
    {
        *("aiohttp", "apsw", "argon2-cffi-bindings", "astropy", "audioop-lts", "awkward-cpp"),
        *("b2d", "bcrypt", "biopython", "bitarray", "blosc2", "boost-histogram", "brotli"),
        *("casadi", "cbor-diag", "cffi", "cftime", "clarabel", "clingo", "cobs", "contourpy"),
        *("coolprop", "cramjam", "crc32c", "cryptography", "css-inline", "cysignals", "cytoolz"),
        *("ewah-bool-utils", "fastparquet", "fiona", "freesasa", "frozenlist", "galpy", "gmpy2"),
        *("gsw", "h3", "h5py", "igraph", "imgui-bundle", "iminuit", "jiter", "kiwisolver"),
        *("lakers-python", "lazy-object-proxy", "libcst", "lightgbm", "logbook", "lxml", "lz4"),
        *("markupsafe", "matplotlib", "memory-allocator", "mmh3", "msgpack", "msgspec", "msprime"),
        *("multidict", "ndindex", "netcdf4", "nh3", "nlopt", "numcodecs", "numpy", "opencv-python"),
        *("orjson", "pandas", "pcodec", "pi-heif", "pillow", "pillow-heif", "pplpy"),
        *("primecountpy", "protobuf", "pyclipper", "pycryptodome", "pydantic-core", "pyerfa"),
        *("pyheif", "pyiceberg", "pyinstrument", "pymupdf", "pynacl", "pyrsistent", "pysam"),
        *("pytaglib", "python-flint", "python-sat", "python-solvespace", "pywavelets", "pyxel"),
        *("pyxirr", "pyyaml", "rasterio", "rateslib", "rebound", "reboundx", "regex", "river"),
        *("robotraconteur", "rpds-py", "rustworkx", "scikit-image", "scikit-learn", "scipy"),
        *("shapely", "simplejson", "sisl", "soundfile", "sourmash", "soxr", "sparseqr"),
        *("sqlalchemy", "statsmodels", "swiglpk", "texture2ddecoder", "tiktoken", "traits"),
        *("tree-sitter", "tree-sitter-go", "tree-sitter-java", "tree-sitter-python", "tskit"),
        *("ujson", "wordcloud", "wrapt", "xgboost", "xxhash", "yarl", "yt", "zengl", "zfpy"),
        *("zstandard",),
    }
)
"""Normalized names of distributions."""
