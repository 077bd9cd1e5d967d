"""Key pairs and JSON Web Keys of crypto.subtle."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import JSFailure

PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""The public key of the first test vector of RFC 8032, and the signature of an empty text with it."""
SIGNATURE = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
    "d25bf5f0595bbe24655141438e7a100b"
)
MADE = """
  const S = crypto.subtle;
  const made = {
    rsa: () => S.generateKey({ name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]),
                               hash: "SHA-256" }, true, ["sign", "verify"]),
    ec: () => S.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    okp: () => S.generateKey("Ed25519", true, ["sign", "verify"]),
  };
  const ALGORITHMS = {
    rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, ec: { name: "ECDSA", namedCurve: "P-256" }, okp: "Ed25519",
  };
  const both = await made[kind]();
  const jwk = await S.exportKey("jwk", isPrivate ? both.privateKey : both.publicKey);
  const change = Object.assign(jwk, eval0(jwk));
  const key = await S.importKey("jwk", change, algorithm ?? ALGORITHMS[kind], true, usages ?? (isPrivate ? ["sign"] : ["verify"]));
  return [key.type, key.algorithm.name, key.usages.join()]
"""


def imported(run: Any, kind: str, change: str, more: str = "", private: bool = False) -> Any:
    """Type, algorithm and usages of a new key that was exported, changed by ``change`` and imported again."""
    before = f"const kind = '{kind}', isPrivate = {str(private).lower()}, eval0 = (jwk) => ({change});"
    given = "let algorithm, usages;" + more
    return run(before + given + MADE)


@pytest.mark.parametrize("name", ["NODE-ED25519", "node-ed25519"])
def test_the_older_name_of_ed25519(run, name):
    script = """
      const algorithm = { name, namedCurve: "NODE-ED25519" };
      const key = await crypto.subtle.importKey("raw", bytes, algorithm, true, ["verify"]);
      return [key.algorithm.name, key.algorithm.namedCurve,
              await crypto.subtle.verify(name, key, signature, new Uint8Array(0)),
              await crypto.subtle.verify(algorithm, key, signature, new Uint8Array(1))]
    """
    expected = ["NODE-ED25519", "NODE-ED25519", True, False]
    given = {"bytes": bytes.fromhex(PUBLIC), "signature": bytes.fromhex(SIGNATURE)}
    assert run(script, name=name, **given) == expected


def test_keys_of_the_older_name(run):
    script = """
      const name = "NODE-ED25519", algorithm = { name, namedCurve: name }, data = new Uint8Array(3);
      const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const signature = await crypto.subtle.sign(name, privateKey, data);
      const jwk = await crypto.subtle.exportKey("jwk", privateKey);
      const again = await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["sign"]);
      return [await crypto.subtle.verify(name, publicKey, signature, data), jwk.crv, jwk.alg === undefined, again.type]
    """
    assert run(script) == [True, "Ed25519", True, "private"]
    for algorithm, words in {
        "'NODE-ED25519'": 'Missing field "namedCurve"',
        "{ name: 'NODE-ED25519', namedCurve: 'X' }": 'EDDSA curve "X" isn\'t supported',
    }.items():
        with pytest.raises(JSFailure, match=words):
            run(f"crypto.subtle.importKey('raw', new Uint8Array(32), {algorithm}, true, ['verify'])")


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_the_wrong_length(run, size):
    script = """
      const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", true, ["verify"]);
      return crypto.subtle.verify("Ed25519", key, new Uint8Array(size), new Uint8Array(0))
    """
    with pytest.raises(JSFailure, match=f"OperationError: Invalid Ed25519 signature length {size}"):
        run(script, bytes=bytes.fromhex(PUBLIC), size=size)


def test_curves_in_any_case(run):
    script = """
      const pair = await crypto.subtle.generateKey({ name: "ecdsa", namedCurve: "p-384" }, true, ["sign"]);
      return [pair.privateKey.algorithm.name, pair.privateKey.algorithm.namedCurve]
    """
    assert run(script) == ["ECDSA", "P-384"]


def test_an_rsa_key_without_its_primes(run):
    gone = "{ p: undefined, q: undefined, dp: undefined, dq: undefined, qi: undefined }"
    assert imported(run, "rsa", gone, private=True) == ["private", "RSASSA-PKCS1-v1_5", "sign"]


ACCEPTED = {
    "rsa": ["{}", "{ alg: undefined, key_ops: undefined }", "{ use: 'sig' }", "{ alg: 'PS256' }"],
    "ec": ["{}", "{ alg: 'ES256' }", "{ crv: undefined }", "{ crv: 'p-256' }"],
    "okp": ["{}", "{ alg: 'EdDSA' }", "{ use: 'sig', key_ops: undefined }"],
}
REFUSED = {
    "rsa": {
        "{ alg: 'RS512' }": '"alg" \\("RS512"\\) does not match requested hash',
        "{ alg: 'RS999' }": "NotSupportedError: Unrecognized or unimplemented algorithm",
        "{ key_ops: ['sign'] }": "All specified key usages must be present",
        "{ key_ops: [] }": "All specified key usages must be present",
        "{ key_ops: ['verify', 'verify'] }": "must not contain duplicates",
        "{ key_ops: 'verify' }": "TypeError: Incorrect type for the 'key_ops' field",
        "{ use: 'enc' }": 'Public Key Use parameter "use" \\("enc"\\) equal to "sig"',
        "{ use: 'sig', key_ops: ['verify', 'encrypt'] }": 'only "sign" and/or "verify" values \\(not "encrypt"\\)',
        "{ ext: false }": "is set to false but extractable is true",
        "{ kty: 'EC' }": 'RSASSA-PKCS1-v1_5 "jwk" key import requires',
        "{ n: '!!' }": 'missing or invalid Modulus parameter \\("n"\\)',
        "{ e: undefined }": 'missing or invalid Exponent parameter \\("e"\\)',
    },
    "ec": {
        "{ alg: 'ES384' }": '"alg" \\("ES384"\\) does not match requested curve',
        "{ alg: 'foo' }": "NotSupportedError",
        "{ x: undefined }": 'missing "x"',
        "{ y: 'AAAA' }": "OperationError: Invalid EC key; public key coordinates",
        "{ kty: undefined }": '"kty" \\("undefined"\\) equal to "EC"',
        "{ ext: false }": "is set to false",
    },
    "okp": {
        "{ alg: 'foo' }": "does not match requested Ed25519 curve",
        "{ x: undefined }": 'missing or invalid public key component \\("x"\\)',
        "{ x: 'AAAA' }": "Invalid length 3 for public key",
        "{ crv: 'X25519' }": "Only Ed25519 is supported",
        "{ key_ops: ['sign'] }": "All specified key usages must be present",
    },
}


@pytest.mark.parametrize(("kind", "change"), [(kind, one) for kind in ACCEPTED for one in ACCEPTED[kind]])
def test_keys_that_are_accepted(run, kind, change):
    assert imported(run, kind, change)[0] == "public"


@pytest.mark.parametrize(("kind", "change"), [(kind, one) for kind in REFUSED for one in REFUSED[kind]])
def test_keys_that_are_refused(run, kind, change):
    with pytest.raises(JSFailure, match=REFUSED[kind][change]):
        imported(run, kind, change)


def test_private_keys_that_are_refused(run):
    with pytest.raises(JSFailure, match="then they must all be present"):
        imported(run, "rsa", "{ qi: undefined }", private=True)
    with pytest.raises(JSFailure, match='private key component "d" is invalid'):
        imported(run, "ec", "{ d: 'AAAA' }", private=True)
    with pytest.raises(JSFailure, match="Invalid length 3 for private key"):
        imported(run, "okp", "{ d: 'AAAA' }", private=True)


def test_another_curve_and_another_use(run):
    with pytest.raises(JSFailure, match="OperationError: Invalid EC key; public key coordinates"):
        imported(run, "ec", "{}", "algorithm = { name: 'ECDSA', namedCurve: 'P-384' };")
    more = "algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }; usages = ['encrypt'];"
    with pytest.raises(JSFailure, match='equal to "enc"'):
        imported(run, "rsa", "{ use: 'sig', key_ops: undefined }", more)
    changed = "{ use: 'enc', key_ops: undefined, alg: undefined }"
    assert imported(run, "rsa", changed, more) == ["public", "RSA-OAEP", "encrypt"]


def test_the_curve_of_spki(run):
    script = """
      const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
      const spki = await crypto.subtle.exportKey("spki", publicKey);
      return crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-384" }, true, ["verify"])
    """
    with pytest.raises(JSFailure, match=r'"algorithm\.namedCurve" "P-384" does not match the curve'):
        run(script)


def test_an_exported_ed25519_key_names_its_algorithm(run):
    script = """
      const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
      return (await crypto.subtle.exportKey("jwk", publicKey)).alg
    """
    assert run(script) == "EdDSA"


def test_secret_keys(run):
    script = """
      const data = { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA", ...change };
      const key = await crypto.subtle.importKey("jwk", data, algorithm, true, usages);
      return key.usages.join()
    """
    hmac = "const algorithm = { name: 'HMAC', hash: 'SHA-256' }, usages = ['sign'];"
    aes = "const algorithm = 'AES-GCM', usages = ['encrypt'];"
    assert run(hmac + "const change = { key_ops: ['verify'] };" + script) == "sign"
    assert run(aes + "const change = { use: 'enc', key_ops: ['encrypt'] };" + script) == "encrypt"
    with pytest.raises(JSFailure, match='must have a "use" of "enc", not "sig"'):
        run(aes + "const change = { use: 'sig' };" + script)
    with pytest.raises(JSFailure, match='missing usage "encrypt", in "key_ops"'):
        run(aes + "const change = { key_ops: ['decrypt'] };" + script)


def test_what_has_no_form(run):
    md5 = "crypto.subtle.importKey('raw', new Uint8Array(3), { name: 'HMAC', hash: 'MD5' }, true, ['sign'])"
    with pytest.raises(JSFailure, match="Unimplemented JWK key export format"):
        run(f"return {md5}.then((key) => crypto.subtle.exportKey('jwk', key))")
    rsa = "{ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([3]), hash: 'SHA-1' }"
    with pytest.raises(JSFailure, match='InvalidAccessError: Cannot export "RSA-PSS" in "raw" format'):
        run(
            f"return crypto.subtle.generateKey({rsa}, true, ['sign']).then((made) => crypto.subtle.exportKey('raw', made.publicKey))"
        )


@pytest.mark.parametrize("size", [1, 7, 129])
def test_an_iv_that_is_not_supported_says_so(run, size):
    script = """
      const key = await crypto.subtle.importKey("raw", new Uint8Array(16), "AES-GCM", true, ["encrypt"]);
      return crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(size) }, key, new Uint8Array(4))
    """
    with pytest.raises(JSFailure, match=f"OperationError: An AES-GCM iv of {size} bytes is not supported"):
        run(script, size=size)


def test_a_method_without_its_object_throws_at_once(run):
    script = """
      const { digest } = crypto.subtle;
      try { digest("SHA-1", new Uint8Array(0)); } catch (error) { return error.message }
    """
    assert run(script).startswith("Illegal invocation")
