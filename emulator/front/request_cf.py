"""``request.cf``: what the edge knows about a client, as documented placeholder values.

https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
A ``cf.json`` in the project replaces single values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

PLACEHOLDERS: Final[Mapping[str, Any]] = {
    "asn": 395747,
    "asOrganization": "Cloudflare",
    "botManagement": {
        "corporateProxy": False,
        "verifiedBot": False,
        "jsDetection": {"passed": False},
        "staticResource": False,
        "detectionIds": {},
        "score": 99,
    },
    "city": "Austin",
    "clientTcpRtt": 5,
    "colo": "DFW",
    "continent": "NA",
    "country": "US",
    "edgeRequestKeepAliveStatus": 1,
    "isEUCountry": None,
    "latitude": "30.27130",
    "longitude": "-97.74260",
    "metroCode": "635",
    "postalCode": "78701",
    "region": "Texas",
    "regionCode": "TX",
    "requestPriority": "",
    "timezone": "America/Chicago",
    "tlsCipher": "AEAD-AES128-GCM-SHA256",
    "tlsClientAuth": {
        "certPresented": "0",
        "certVerified": "NONE",
        "certRevoked": "0",
        "certIssuerDN": "",
        "certSubjectDN": "",
        "certIssuerDNRFC2253": "",
        "certSubjectDNRFC2253": "",
        "certIssuerDNLegacy": "",
        "certSubjectDNLegacy": "",
        "certSerial": "",
        "certIssuerSerial": "",
        "certSKI": "",
        "certIssuerSKI": "",
        "certFingerprintSHA1": "",
        "certFingerprintSHA256": "",
        "certNotBefore": "",
        "certNotAfter": "",
    },
    "tlsExportedAuthenticator": {
        "clientFinished": "0" * 64,
        "clientHandshake": "0" * 64,
        "serverHandshake": "0" * 64,
        "serverFinished": "0" * 64,
    },
    "tlsVersion": "TLSv1.3",
}

FILE: Final = "cf.json"


class RequestCf:
    """The ``request.cf`` of one Worker; each distinct text is made once."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._values = {**PLACEHOLDERS, **(overrides or {})}
        self._overrides = frozenset(overrides or {})
        self.colo = str(self._values["colo"])
        self.country = str(self._values["country"])
        self.text = lru_cache(maxsize=256)(self._text)
        """``text(http_version, accept_encoding)`` gives the JSON text for a request."""

    def _text(self, http_version: str, accept_encoding: str) -> str:
        values = dict(self._values)
        seen = {"httpProtocol": f"HTTP/{http_version}", "clientAcceptEncoding": accept_encoding}
        values.update((name, value) for name, value in seen.items() if name not in self._overrides)
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def load_request_cf(root: str) -> RequestCf:
    """The placeholders with those that ``cf.json`` in the project replaces.

    Raises ``ValueError`` with one line when the file is not a JSON object, or cannot be read.
    """
    path = Path(root) / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return RequestCf()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        overrides = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    if not isinstance(overrides, dict):
        raise ValueError(f'{path}: a JSON object is expected, as in {{"country": "DE"}}')
    return RequestCf(overrides)
