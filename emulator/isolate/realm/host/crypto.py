"""Host functions of crypto.js and subtle.js: randomness, digests, secret-key ciphers, derivation.

https://w3c.github.io/webcrypto/ ; ``cryptography`` is imported at the first use, as most Workers
need none of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..engine import Value
from ..io import GLOBAL_SCOPE, RealmIO
from ..realm import HostError
from . import keys, signatures

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

_HASHLIB: Final = {
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "MD5": "md5",
}
_BLOCK: Final = 16
"""Bytes of an AES block."""
_LEAST_WRAPPED_BITS: Final = 192
"""Of AES key wrap: two blocks of a key and the check."""
_GCM_IV_BYTES: Final = range(8, 129)
"""What OpenSSL's bindings take; the platform takes any number."""


def digest(name: str, data: Value) -> bytes:
    """The digest of ``data`` by the Web Crypto algorithm ``name``."""
    return hashlib.new(_HASHLIB[name], data.to_bytes(), usedforsecurity=False).digest()


def digest_open(name: str, owner: Value) -> Value:
    """A digest in the making, in the realm of ``owner``, any object of it."""
    return owner.context.new_host_object(hashlib.new(_HASHLIB[name], usedforsecurity=False))


def mac(name: str, key: Value, data: Value) -> bytes:
    """HMAC of ``data``."""
    return hmac.digest(key.to_bytes(), data.to_bytes(), _HASHLIB[name])


def timing_safe_equal(left: Value, right: Value) -> bool:
    """Compare two buffers of equal length in constant time."""
    return hmac.compare_digest(left.to_bytes(), right.to_bytes())


def _operation_failed(message: str) -> HostError:
    return HostError("OperationError", message)


def _decryption_failed(name: str, given: int, expected: int) -> HostError:
    return _operation_failed(
        "Decryption failed. This could be due to a ciphertext authentication failure, bad padding, "
        "incorrect CryptoKey, or another algorithm-specific reason. "
        f"Input length was {given}, output length expected to be {expected} for {name}"
    )


def aes_gcm(
    encrypting: bool, key: Value, iv: Value, aad: Value | None, tag_bytes: float, data: Value
) -> bytes:
    """AES-GCM; the tag follows the ciphertext."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    size = int(tag_bytes)
    text = data.to_bytes()
    if len(iv.to_bytes()) not in _GCM_IV_BYTES:
        raise _operation_failed(
            f"An AES-GCM iv of {len(iv.to_bytes())} bytes is not supported by cfw-emu: take 12, as the "
            "standard recommends (the platform takes any number)."
        )
    authenticated = aad.to_bytes() if aad is not None else b""
    algorithm = algorithms.AES(key.to_bytes())
    if encrypting:
        encryptor = Cipher(algorithm, modes.GCM(iv.to_bytes())).encryptor()
        encryptor.authenticate_additional_data(authenticated)
        return encryptor.update(text) + encryptor.finalize() + encryptor.tag[:size]
    if len(text) < size:
        raise _operation_failed(
            f"Ciphertext length of {8 * len(text)} bits must be greater than or equal to the size of the "
            f"AES-GCM tag length of {8 * size} bits."
        )
    mode = modes.GCM(iv.to_bytes(), text[len(text) - size :], min_tag_length=size)
    decryptor = Cipher(algorithm, mode).decryptor()
    decryptor.authenticate_additional_data(authenticated)
    try:
        return decryptor.update(text[: len(text) - size]) + decryptor.finalize()
    except InvalidTag:
        length = len(text) - size
        raise _decryption_failed("AES-GCM", length, length) from None


def aes_cbc(encrypting: bool, key: Value, iv: Value, data: Value) -> bytes:
    """AES-CBC with PKCS #7 padding."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    cipher = Cipher(algorithms.AES(key.to_bytes()), modes.CBC(iv.to_bytes()))
    if encrypting:
        padder = PKCS7(8 * _BLOCK).padder()
        padded = padder.update(data.to_bytes()) + padder.finalize()
        return _run(cipher.encryptor(), padded)
    unpadder = PKCS7(8 * _BLOCK).unpadder()
    try:
        return unpadder.update(_run(cipher.decryptor(), data.to_bytes())) + unpadder.finalize()
    except ValueError:
        length = len(data.to_bytes())
        raise _decryption_failed("AES-CBC", length, max(length - 1, 0) // _BLOCK * _BLOCK) from None


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()


def aes_ctr(key: Value, counter: Value, counter_bits: float, data: Value) -> bytes:
    """AES-CTR, where only the last ``counter_bits`` of the block count."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    text, start, bits = data.to_bytes(), counter.to_bytes(), int(counter_bits)
    blocks = -(-len(text) // _BLOCK)
    if blocks > 1 << bits:
        raise _operation_failed("Counter block values will repeat.")
    algorithm = algorithms.AES(key.to_bytes())
    value = int.from_bytes(start, "big")
    until_wrap = ((1 << bits) - value % (1 << bits)) * _BLOCK
    first = _run(Cipher(algorithm, modes.CTR(start)).encryptor(), text[:until_wrap])
    if len(text) <= until_wrap:
        return first
    # The counter wraps within its own bits and leaves the nonce before them alone.
    wrapped = (value >> bits << bits).to_bytes(_BLOCK, "big")
    return first + _run(Cipher(algorithm, modes.CTR(wrapped)).encryptor(), text[until_wrap:])


def aes_key_wrap(wrapping: bool, key: Value, data: Value) -> bytes:
    """AES key wrap of RFC 3394."""
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
    from cryptography.hazmat.primitives.keywrap import aes_key_wrap as wrap

    bits = 8 * len(data.to_bytes())
    if bits % 64:
        raise _operation_failed(
            "Unwrapped key bit length must be a multiple of 64 bits but unwrapped key has a length of "
            f"{bits} bits."
            if wrapping
            else f"Provided a wrapped key to unwrap that is {bits} bits which isn't a multiple of 64 bits."
        )
    if not wrapping and bits < _LEAST_WRAPPED_BITS:
        raise _operation_failed(
            f"Provided a wrapped key to unwrap this is {bits} bits that is less than the minimal length of "
            f"{_LEAST_WRAPPED_BITS} bits."
        )
    try:
        return (wrap if wrapping else aes_key_unwrap)(key.to_bytes(), data.to_bytes())
    except (ValueError, InvalidUnwrap):
        raise _operation_failed(f"AES-KW key {'' if wrapping else 'un'}wrapping failed.") from None


def hkdf(name: str, key: Value, salt: Value, info: Value, size: float) -> bytes:
    """HKDF of RFC 5869; ``size`` in bytes."""
    algorithm, length = _HASHLIB[name], int(size)
    width = hashlib.new(algorithm).digest_size
    if length > 255 * width:
        raise _operation_failed("HKDF deriveBits failed.")
    secret = hmac.digest(salt.to_bytes() or bytes(width), key.to_bytes(), algorithm)
    output = block = b""
    for index in range(1, -(-length // width) + 1):
        block = hmac.digest(secret, block + info.to_bytes() + bytes([index]), algorithm)
        output += block
    return output[:length]


def pbkdf2(name: str, password: Value, salt: Value, iterations: float, size: float) -> bytes:
    """PBKDF2 with HMAC; ``size`` in bytes."""
    if not size:
        return b""
    return hashlib.pbkdf2_hmac(
        _HASHLIB[name], password.to_bytes(), salt.to_bytes(), int(iterations), int(size)
    )


def base64url_decode(text: str) -> bytes | None:
    """Unpadded base64url; None when it is not."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def functions(io: Callable[[], RealmIO]) -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""

    def in_event() -> None:
        if io().context() is None:
            raise HostError("Error", GLOBAL_SCOPE)

    def random_bytes(size: float) -> bytes:
        in_event()
        return os.urandom(int(size))

    def random_uuid() -> str:
        in_event()
        return str(uuid.uuid4())

    return {
        "digest": digest,
        "digestOpen": digest_open,
        "digestUpdate": lambda making, data: making.update(data.to_bytes()),
        "digestFinish": lambda making: making.digest(),
        "hmac": mac,
        "randomBytes": random_bytes,
        "randomUUID": random_uuid,
        "timingSafeEqual": timing_safe_equal,
        "aesGcm": aes_gcm,
        "aesCbc": aes_cbc,
        "aesCtr": aes_ctr,
        "aesKeyWrap": aes_key_wrap,
        "hkdf": hkdf,
        "pbkdf2": pbkdf2,
        "bytesToNumber": lambda data: int.from_bytes(data.to_bytes(), "big"),
        "base64UrlEncode": lambda data: keys.base64url(data.to_bytes()),
        "base64UrlDecode": base64url_decode,
        **keys.functions(),
        **signatures.functions(),
    }
