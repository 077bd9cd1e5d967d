"""crypto and crypto.subtle, against hashlib, hmac and published vectors."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pytest

from .conftest import JSFailure


def test_random(run):
    assert uuid.UUID(run("crypto.randomUUID()")).version == 4
    script = "const u = new Uint32Array(8); return [crypto.getRandomValues(u) === u, u.some((x) => x > 0), crypto.getRandomValues(new Uint8Array()).length]"
    assert run(script) == [True, True, 0]


@pytest.mark.parametrize(
    ("array", "name"),
    [("new Float32Array(1)", "TypeMismatchError"), ("new DataView(new ArrayBuffer(1))", "TypeMismatchError"),
     ("new Uint8Array(65537)", "QuotaExceededError"), ("[1]", "TypeError")],
)  # fmt: skip
def test_random_refuses(run, array, name):
    with pytest.raises(JSFailure) as caught:
        run(f"crypto.getRandomValues({array})")
    assert caught.value.name == name


@pytest.mark.parametrize("name", ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "MD5"])
def test_digest(run, name):
    expected = hashlib.new(name.replace("-", ""), b"abc").digest()
    assert run("crypto.subtle.digest(name, new TextEncoder().encode('abc'))", name=name) == expected
    assert run("crypto.subtle.digest({name: name.toLowerCase()}, data)", name=name, data=b"abc") == expected


def test_digest_refuses(run):
    with pytest.raises(JSFailure) as caught:
        run("crypto.subtle.digest('SHA-3', new Uint8Array())")
    assert caught.value.name == "NotSupportedError"
    with pytest.raises(JSFailure, match="TypeError"):
        run("crypto.subtle.digest('SHA-1', 'text')")


def test_methods(run):
    names = "constructor decrypt deriveBits deriveKey digest encrypt exportKey generateKey importKey sign timingSafeEqual unwrapKey verify wrapKey"
    assert run("Object.getOwnPropertyNames(SubtleCrypto.prototype).sort()") == names.split()
    assert run("[crypto, crypto.subtle].map(String)") == ["[object Crypto]", "[object SubtleCrypto]"]


def test_timing_safe_equal(run):
    assert run("crypto.subtle.timingSafeEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer)") is True
    assert run("crypto.subtle.timingSafeEqual(new Uint8Array([1]), new Uint8Array([2]))") is False
    with pytest.raises(JSFailure, match="same byte length"):
        run("crypto.subtle.timingSafeEqual(new Uint8Array(1), new Uint8Array(2))")


def test_hmac(run):
    script = """
      const k = await crypto.subtle.importKey('raw', key, {name: 'hmac', hash: {name: 'SHA-256'}}, false, ['verify', 'sign']);
      const s = await crypto.subtle.sign('HMAC', k, data);
      return [s, await crypto.subtle.verify('HMAC', k, s, data), await crypto.subtle.verify('HMAC', k, s.slice(1), data),
              k.type, k.extractable, k.usages, k.algorithm, String(k)]
    """
    assert run(script, key=b"key", data=b"msg") == [
        hmac.digest(b"key", b"msg", "sha256"), True, False, "secret", False, ["sign", "verify"],
        {"name": "HMAC", "hash": {"name": "SHA-256"}, "length": 24}, "[object CryptoKey]",
    ]  # fmt: skip


def test_aes_gcm_vector(run):
    """Test case 4 of McGrew and Viega's GCM specification."""
    script = """
      const k = await crypto.subtle.importKey('raw', key, 'AES-GCM', true, ['encrypt', 'decrypt']);
      const alg = {name: 'AES-GCM', iv, additionalData: aad};
      const e = await crypto.subtle.encrypt(alg, k, text);
      return [e, await crypto.subtle.decrypt(alg, k, e)]
    """
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = bytes.fromhex(
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
        "5bc94fbc3221a5db94fae95ae7121a47"
    )
    given = {
        "key": bytes.fromhex("feffe9928665731c6d6a8f9467308308"),
        "iv": bytes.fromhex("cafebabefacedbaddecaf888"),
        "aad": bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
        "text": text,
    }
    assert run(script, **given) == [sealed, text]


@pytest.mark.parametrize(
    "algorithm",
    ["{name: 'AES-GCM', iv: new Uint8Array(12), tagLength: 96}", "{name: 'AES-CBC', iv: new Uint8Array(16)}",
     "{name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 8}"],
)  # fmt: skip
def test_aes_round_trip(run, algorithm):
    script = f"""
      const alg = {algorithm};
      const k = await crypto.subtle.generateKey({{name: alg.name, length: 256}}, true, ['encrypt', 'decrypt']);
      const e = await crypto.subtle.encrypt(alg, k, data); const copy = await crypto.subtle.importKey(
        'jwk', await crypto.subtle.exportKey('jwk', k), alg.name, false, ['decrypt']);
      return [await crypto.subtle.decrypt(alg, copy, e), (await crypto.subtle.exportKey('raw', k)).byteLength]
    """
    assert run(script, data=b"hello" * 9) == [b"hello" * 9, 32]


def test_a_wrong_tag_fails(run):
    script = """
      const k = await crypto.subtle.generateKey({name: 'AES-GCM', length: 128}, false, ['decrypt']);
      await crypto.subtle.decrypt({name: 'AES-GCM', iv: new Uint8Array(12)}, k, new Uint8Array(20))
    """
    with pytest.raises(JSFailure) as caught:
        run(script)
    assert caught.value.name == "OperationError"


def test_derivation(run):
    script = """
      const secret = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
      const pw = await crypto.subtle.importKey('raw', ikm, {name: 'PBKDF2'}, false, ['deriveBits', 'deriveKey']);
      const aes = await crypto.subtle.deriveKey({name: 'PBKDF2', hash: 'SHA-1', salt, iterations: 2}, pw,
        {name: 'AES-CBC', length: 128}, true, ['encrypt']);
      return [await crypto.subtle.deriveBits({name: 'HKDF', hash: 'SHA-256', salt, info}, secret, 42 * 8),
              await crypto.subtle.deriveBits({name: 'PBKDF2', hash: 'SHA-512', salt, iterations: 10}, pw, 256),
              await crypto.subtle.exportKey('raw', aes)]
    """
    ikm, salt, info = b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA))
    okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert run(script, ikm=ikm, salt=salt, info=info) == [
        bytes.fromhex(okm),  # RFC 5869, A.1
        hashlib.pbkdf2_hmac("sha512", ikm, salt, 10, 32),
        hashlib.pbkdf2_hmac("sha1", ikm, salt, 2, 16),
    ]


RSA = "modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256'"


@pytest.mark.parametrize(
    ("algorithm", "size"),
    [("{name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'}", 64), ("{name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384'}", 96),
     ("{name: 'Ed25519'}", 64), (f"{{name: 'RSASSA-PKCS1-v1_5', {RSA}}}", 256), (f"{{name: 'RSA-PSS', saltLength: 32, {RSA}}}", 256)],
)  # fmt: skip
def test_signatures(run, algorithm, size):
    script = f"""
      const alg = {algorithm}; const s = crypto.subtle;
      const pair = await s.generateKey(alg, true, ['sign', 'verify']);
      const out = [];
      for (const [pub, priv] of [['jwk', 'jwk'], ['spki', 'pkcs8']]) {{
        const publicKey = await s.importKey(pub, await s.exportKey(pub, pair.publicKey), alg, true, ['verify']);
        const privateKey = await s.importKey(priv, await s.exportKey(priv, pair.privateKey), alg, false, ['sign']);
        const signature = await s.sign(alg, privateKey, data);
        out.push(signature.byteLength, await s.verify(alg, publicKey, signature, data), await s.verify(alg, publicKey, signature, new Uint8Array(1)));
      }}
      return out
    """
    assert run(script, data=b"text") == [size, True, False] * 2


@pytest.mark.parametrize("algorithm", ["{name: 'ECDH', namedCurve: 'P-256'}", "{name: 'X25519'}"])
def test_agreement(run, algorithm):
    script = f"""
      const alg = {algorithm}; const s = crypto.subtle;
      const [a, b] = [await s.generateKey(alg, true, ['deriveBits']), await s.generateKey(alg, false, ['deriveBits'])];
      const pub = await s.importKey('raw', await s.exportKey('raw', a.publicKey), alg, true, []);
      return [await s.deriveBits({{name: alg.name, public: pub}}, b.privateKey, 128),
              await s.deriveBits({{name: alg.name, public: b.publicKey}}, a.privateKey, 128)]
    """
    left, right = run(script)
    assert left == right
    assert len(left) == 16


def test_wrapping(run):
    script = f"""
      const s = crypto.subtle;
      const inner = await s.generateKey({{name: 'HMAC', hash: 'SHA-256'}}, true, ['sign']);
      const kw = await s.generateKey({{name: 'AES-KW', length: 128}}, false, ['wrapKey', 'unwrapKey']);
      const rsa = await s.generateKey({{name: 'RSA-OAEP', {RSA}}}, false, ['wrapKey', 'unwrapKey']);
      const small = await s.generateKey({{name: 'AES-GCM', length: 128}}, true, ['encrypt']);
      const a = await s.unwrapKey('raw', await s.wrapKey('raw', inner, kw, 'AES-KW'), kw, 'AES-KW', {{name: 'HMAC', hash: 'SHA-256'}}, true, ['sign']);
      const b = await s.unwrapKey('jwk', await s.wrapKey('jwk', small, rsa.publicKey, 'RSA-OAEP'), rsa.privateKey, 'RSA-OAEP', 'AES-GCM', true, ['encrypt']);
      const raw = async (k) => String(new Uint8Array(await s.exportKey('raw', k)));
      return [await raw(a) === await raw(inner), await raw(b) === await raw(small)]
    """
    assert run(script) == [True, True]


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("importKey('raw', new Uint8Array(5), 'AES-GCM', true, ['encrypt'])", "DataError"),
        ("importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['sign'])", "SyntaxError"),
        ("importKey('raw', new Uint8Array(16), 'AES-GCM', true, [])", "SyntaxError"),
        ("importKey('raw', new Uint8Array(16), 'AES-XYZ', true, ['sign'])", "NotSupportedError"),
        (
            "importKey('spki', new Uint8Array(16), {name: 'ECDSA', namedCurve: 'P-256'}, true, ['verify'])",
            "DataError",
        ),
        (
            "importKey('jwk', {kty: 'RSA'}, {name: 'ECDSA', namedCurve: 'P-256'}, true, ['verify'])",
            "DataError",
        ),
        ("sign('HMAC', {}, new Uint8Array(1))", "TypeError"),
        ("digest('SHA-256')", "TypeError"),
        ("importKey('raw', new Uint8Array(9), 'PBKDF2', true, ['deriveBits'])", "SyntaxError"),
    ],
)
def test_refusals(run, script, name):
    with pytest.raises(JSFailure) as caught:
        run(f"crypto.subtle.{script}")
    assert caught.value.name == name


def test_usages_and_extractability(run):
    key = "const k = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt']);"
    for call in ("decrypt({name: 'AES-GCM', iv: new Uint8Array(12)}, k, new Uint8Array(16))", "exportKey('raw', k)",
                 "encrypt({name: 'AES-CBC', iv: new Uint8Array(16)}, k, new Uint8Array(1))"):  # fmt: skip
        with pytest.raises(JSFailure) as caught:
            run(f"{key} await crypto.subtle.{call}")
        assert caught.value.name == "InvalidAccessError"


def test_too_many_iterations(run):
    script = """
      const k = await crypto.subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits']);
      await crypto.subtle.deriveBits({name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 100001}, k, 256)
    """
    with pytest.raises(JSFailure, match="iteration counts above 100000 are not supported"):
        run(script)


def test_digest_stream(run):
    script = """
      const s = new crypto.DigestStream('SHA-256'); const w = s.getWriter();
      await w.write('abc'); await w.write(new Uint8Array([100])); await w.close();
      return [await s.digest, String(s.bytesWritten), s instanceof WritableStream]
    """
    assert run(script) == [hashlib.sha256(b"abcd").digest(), "4", True]
    with pytest.raises(JSFailure, match="stop"):
        run("const s = new crypto.DigestStream('MD5'); s.abort(new Error('stop')); await s.digest")
