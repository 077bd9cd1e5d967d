"""Host functions of subtle.js for key pairs: RSA, elliptic curves, Ed25519 and X25519.

Keys cross as DER: PKCS #8 for private, SPKI for public ones. ``kind`` is ``rsa``, ``ec`` or
``okp``; ``curve`` is a name such as ``P-256`` or ``Ed25519``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from ..engine import Value
from ..realm import HostError

_COORDINATE_BYTES: Final = {"P-256": 32, "P-384": 48, "P-521": 66}
_CURVE_OF: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_OKP_BYTES: Final = 32
"""Bytes of a key of Ed25519 and of X25519."""
_RSA_PRIVATE: Final = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


def base64url(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _number(text: str) -> int:
    return int.from_bytes(_raw(text), "big")


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _field(number: int, size: int = 0) -> str:
    return base64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _curve(name: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, Callable[[], ec.EllipticCurve]]
    curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
    return curves[name]()


def _okp(name: str) -> tuple[Any, Any]:
    """The private and public key classes of an Edwards or Montgomery curve."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

    if name == "Ed25519":
        return ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey
    return x25519.X25519PrivateKey, x25519.X25519PublicKey


def hash_algorithm(name: str) -> Any:
    """The ``cryptography`` hash of a Web Crypto digest name."""
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, name.replace("-", ""))()


@lru_cache(maxsize=64)
def load_private(der: bytes) -> Any:
    """The private key of PKCS #8 DER. Cached: a Worker signs many times with one key."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)


@lru_cache(maxsize=64)
def load_public(der: bytes) -> Any:
    """The public key of SPKI DER."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return load_der_public_key(der)


def _spki(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _pkcs8(private: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    return bytes(private.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, s.NoEncryption()))


def _raw_public(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if hasattr(public, "curve"):
        return bytes(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    return bytes(public.public_bytes(Encoding.Raw, PublicFormat.Raw))


def import_pair_key(kind: str, curve: str, fmt: str, source: Value | str) -> list[Any]:
    """``[type, DER, modulus bits, public exponent bytes]`` of an imported key.

    ``source`` is JSON text for ``jwk``, a buffer otherwise. Raises HostError DataError.
    """
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        if isinstance(source, str):
            private, key = _from_jwk(kind, curve, json.loads(source))
        else:
            private, key = _from_bytes(kind, curve, fmt, source.to_bytes())
        _check(kind, curve, key)
    except (ValueError, KeyError, TypeError, UnsupportedAlgorithm) as error:
        if fmt in ("spki", "pkcs8"):
            raise HostError("DataError", f"Invalid {fmt.upper()} input.") from None
        raise HostError(
            "DataError", f"Invalid {curve if kind != 'rsa' else 'RSA'} key in format {fmt}: {error}"
        ) from None
    der = _pkcs8(key) if private else _spki(key)
    bits, exponent = 0, b""
    if kind == "rsa":
        numbers = (key.public_key() if private else key).public_numbers()
        bits = numbers.n.bit_length()
        exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
    return ["private" if private else "public", der, bits, exponent]


def _from_bytes(kind: str, curve: str, fmt: str, data: bytes) -> tuple[bool, Any]:
    if fmt == "pkcs8":
        return True, load_private(data)
    if fmt == "spki":
        return False, load_public(data)
    if kind == "rsa":
        raise HostError("NotSupportedError", 'Unrecognized key import format "raw".')
    if kind == "ec":
        from cryptography.hazmat.primitives.asymmetric import ec

        return False, ec.EllipticCurvePublicKey.from_encoded_point(_curve(curve), data)
    if len(data) != _OKP_BYTES:
        message = f"{curve} raw keys must be exactly {_OKP_BYTES}-bytes (provided {len(data)})."
        raise HostError("DataError", message)
    return False, _okp(curve)[1].from_public_bytes(data)


def _check(kind: str, curve: str, key: Any) -> None:
    """Whether ``key`` is what the algorithm needs. Raises ValueError, or HostError DataError."""
    if kind == "rsa":
        fits = hasattr(key, "key_size") and not hasattr(key, "curve")
    elif kind == "ec":
        fits = hasattr(key, "curve") and _CURVE_OF.get(key.curve.name) == curve
    else:
        fits = isinstance(key, _okp(curve))
    if not fits and kind == "ec" and hasattr(key, "curve"):
        raise HostError(
            "DataError",
            f'"algorithm.namedCurve" "{curve}" does not match the curve specified by the input key data.',
        )
    if not fits:
        raise ValueError("the key is of another kind")


def _from_jwk(kind: str, curve: str, jwk: dict[str, str]) -> tuple[bool, Any]:
    if kind == "rsa":
        return _rsa_from_jwk(jwk)
    if kind == "okp":
        if jwk.get("crv") != curve:
            raise HostError(
                "NotSupportedError", f'Only {curve} is supported but "{jwk.get("crv", "")}" was requested.'
            )
        private, public = _okp(curve)
        for name, what in (("x", "public"), ("d", "private")):
            if name in jwk and len(_raw(jwk[name])) != _OKP_BYTES:
                raise HostError("DataError", f"Invalid length {len(_raw(jwk[name]))} for {what} key")
        if "d" in jwk:
            return True, private.from_private_bytes(_raw(jwk["d"]))
        return False, public.from_public_bytes(_raw(jwk["x"]))
    return _ec_from_jwk(curve, jwk)


def _ec_from_jwk(curve: str, jwk: dict[str, str]) -> tuple[bool, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec

    numbers = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), _curve(curve))
    try:
        public = numbers.public_key()
    except ValueError:
        message = 'Invalid EC key; public key coordinates "x" and "y" are invalid: Point is not on curve..'
        raise HostError("OperationError", message) from None
    if "d" not in jwk:
        return False, public
    try:
        return True, ec.EllipticCurvePrivateNumbers(_number(jwk["d"]), numbers).private_key()
    except ValueError:
        raise HostError("OperationError", 'Invalid EC key; private key component "d" is invalid.') from None


def _rsa_from_jwk(jwk: dict[str, str]) -> tuple[bool, Any]:
    from cryptography.hazmat.primitives.asymmetric import rsa

    public = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"]))
    if "d" not in jwk:
        return False, public.public_key()
    d = _number(jwk["d"])
    if "p" in jwk:
        p, q, dp, dq, qi = (_number(jwk[name]) for name in ("p", "q", "dp", "dq", "qi"))
    else:
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
        dp, dq, qi = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return True, rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()


def export_pair_key(kind: str, key_type: str, fmt: str, material: Value) -> bytes | str:
    """A key in ``fmt``: DER as it is, ``raw`` bytes, or JSON text of a JWK without its usages."""
    der = material.to_bytes()
    if fmt in ("pkcs8", "spki"):
        return der
    key = load_private(der) if key_type == "private" else load_public(der)
    if fmt == "jwk":
        return json.dumps(_jwk(kind, key_type == "private", key))
    return _raw_public(key)


def _jwk(kind: str, private: bool, key: Any) -> dict[str, str]:
    public = key.public_key() if private else key
    if kind == "okp":
        jwk = {"kty": "OKP", "crv": type(public).__name__.lstrip("_").removesuffix("PublicKey")}
        jwk["x"] = base64url(_raw_public(public))
        return {**jwk, "d": base64url(key.private_bytes_raw())} if private else jwk
    numbers = public.public_numbers()
    if kind == "ec":
        name = _CURVE_OF[public.curve.name]
        size = _COORDINATE_BYTES[name]
        jwk = {"kty": "EC", "crv": name, "x": _field(numbers.x, size), "y": _field(numbers.y, size)}
        return {**jwk, "d": _field(key.private_numbers().private_value, size)} if private else jwk
    if not private:
        return {"kty": "RSA", "n": _field(numbers.n), "e": _field(numbers.e)}
    secret = key.private_numbers()
    values = (numbers.n, numbers.e, secret.d, secret.p, secret.q, secret.dmp1, secret.dmq1, secret.iqmp)
    return {"kty": "RSA", **{name: _field(value) for name, value in zip(_RSA_PRIVATE, values, strict=True)}}


def generate_pair(kind: str, curve: str, bits: float, exponent: float) -> list[bytes]:
    """``[SPKI, PKCS #8]`` of a new key pair. Raises HostError OperationError."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        if kind == "rsa":
            private: Any = rsa.generate_private_key(int(exponent), int(bits))
        elif kind == "ec":
            private = ec.generate_private_key(_curve(curve))
        else:
            private = _okp(curve)[0].generate()
    except ValueError as error:
        raise HostError("OperationError", f"Key generation failed: {error}") from None
    return [_spki(private.public_key()), _pkcs8(private)]


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {
        "importPairKey": import_pair_key,
        "exportPairKey": export_pair_key,
        "generatePair": generate_pair,
    }
