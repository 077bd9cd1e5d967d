"""The bridge between Python and the realm: our ``_pyodide_core``.

``bridge.js`` is its JavaScript half. ``convert`` holds the two conversion tables,
``jsproxy`` the Python face of JS values, ``pyproxy`` the JS face of Python objects.
"""
