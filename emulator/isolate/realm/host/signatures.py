"""Host functions of subtle.js that use key pairs: signatures, RSA-OAEP and key agreement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import Value
from ..realm import HostError
from .keys import hash_algorithm, load_private, load_public


def sign(name: str, digest: str, key: Value, data: Value, salt_bytes: float) -> bytes:
    """The signature of ``data``; ECDSA gives r and s side by side, as Web Crypto does."""
    private = load_private(key.to_bytes())
    text = data.to_bytes()
    if name == "Ed25519":
        return bytes(private.sign(text))
    if name == "ECDSA":
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        size = (private.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hash_algorithm(digest))))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    try:
        return bytes(private.sign(text, _padding(name, digest, int(salt_bytes)), hash_algorithm(digest)))
    except ValueError as error:
        raise HostError("OperationError", f"Signing failed: {error}") from None


def verify(name: str, digest: str, key: Value, signature: Value, data: Value, salt_bytes: float) -> bool:
    """Whether ``signature`` is that of ``data``; a malformed one is not."""
    from cryptography.exceptions import InvalidSignature

    public = load_public(key.to_bytes())
    text, given = data.to_bytes(), signature.to_bytes()
    try:
        if name == "Ed25519":
            public.verify(given, text)
        elif name == "ECDSA":
            _verify_ecdsa(public, digest, given, text)
        else:
            public.verify(given, text, _padding(name, digest, int(salt_bytes)), hash_algorithm(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def _verify_ecdsa(public: Any, digest: str, signature: bytes, text: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    size = (public.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise ValueError("signature of the wrong length")
    r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    public.verify(utils.encode_dss_signature(r, s), text, ec.ECDSA(hash_algorithm(digest)))


def _padding(name: str, digest: str, salt_bytes: int) -> Any:
    from cryptography.hazmat.primitives.asymmetric import padding

    if name == "RSA-PSS":
        return padding.PSS(padding.MGF1(hash_algorithm(digest)), salt_bytes)
    return padding.PKCS1v15()


def rsa_oaep(encrypting: bool, digest: str, key: Value, label: Value | None, data: Value) -> bytes:
    """RSA-OAEP. Raises HostError OperationError."""
    from cryptography.hazmat.primitives.asymmetric import padding

    mode = padding.OAEP(
        padding.MGF1(hash_algorithm(digest)),
        hash_algorithm(digest),
        label.to_bytes() if label is not None else None,
    )
    try:
        if encrypting:
            return bytes(load_public(key.to_bytes()).encrypt(data.to_bytes(), mode))
        return bytes(load_private(key.to_bytes()).decrypt(data.to_bytes(), mode))
    except ValueError:
        raise HostError("OperationError", "RSA-OAEP failed encrypt/decrypt.") from None


def agree(name: str, private_key: Value, public_key: Value) -> bytes:
    """The shared secret of ECDH or X25519. Raises HostError OperationError."""
    private, public = load_private(private_key.to_bytes()), load_public(public_key.to_bytes())
    try:
        if name == "X25519":
            return bytes(private.exchange(public))
        from cryptography.hazmat.primitives.asymmetric import ec

        return bytes(private.exchange(ec.ECDH(), public))
    except ValueError as error:
        raise HostError("OperationError", f"Key agreement failed: {error}") from None


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {"sign": sign, "verify": verify, "rsaOaep": rsa_oaep, "agree": agree}
