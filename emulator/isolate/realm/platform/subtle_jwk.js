// JSON Web Keys: what they hold, and whether one allows the key that is to be made of it.
// https://w3c.github.io/webcrypto/#JsonWebKey-dictionary  https://www.rfc-editor.org/rfc/rfc7517
(function (platform) {
  "use strict";
  const { view } = platform;
  const { fail, wrong } = platform.subtleArguments;
  const { isArray } = Array;

  const FIELDS = ["kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k", "alg", "use"];
  const PRIMES = ["p", "q", "dp", "dq", "qi"];
  const KEY_TYPES = { rsa: "RSA", ec: "EC", okp: "OKP" };
  const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

  // The text fields of a key that a Worker gives, and `key_ops` and `ext` as they are.
  const fieldsOf = (data) => {
    if (Object(data) !== data) wrong("importKey", 2);
    if (view(data) !== null) {
      throw new TypeError('Import data provided for "jwk" import format must be a JsonWebKey.');
    }
    const jwk = {};
    for (const field of FIELDS) if (data[field] !== undefined && data[field] !== null) jwk[field] = `${data[field]}`;
    const ops = data.key_ops;
    if (ops !== undefined && !isArray(ops)) {
      throw new TypeError("Incorrect type for the 'key_ops' field on 'JsonWebKey': the provided value is not of type 'Array'.");
    }
    if (ops !== undefined) jwk.key_ops = ops.map(String);
    if (data.ext !== undefined && data.ext !== null) jwk.ext = !!data.ext;
    return jwk;
  };

  // The algorithm that an exported key names.
  const algorithmOf = ({ name, hash, length }) => {
    const bits = hash === undefined ? "" : hash.name.slice(4);
    if (name.startsWith("AES-")) return `A${length}${name.slice(4)}`;
    if (name === "HMAC") {
      if (bits === "") fail("NotSupportedError", `Unimplemented JWK key export format for key algorithm "${hash.name}".`);
      return `HS${bits}`;
    }
    if (name === "RSASSA-PKCS1-v1_5") return `RS${bits}`;
    if (name === "RSA-PSS") return `PS${bits}`;
    if (name === "RSA-OAEP") return bits === "1" ? name : `${name}-${bits}`;
    return name === "Ed25519" ? "EdDSA" : undefined;
  };

  const checkExportable = (jwk, name, extractable) => {
    if (jwk.ext === false && extractable) {
      fail("DataError", `JWK ext field for "${name}" is set to false but extractable is true`);
    }
  };

  const checkSecret = (jwk, algorithm, usages, extractable) => {
    const { name } = algorithm;
    const isHmac = name === "HMAC";
    if (!isHmac && jwk.use !== undefined && jwk.use !== "enc") {
      fail("DataError", `Symmetric "jwk" key must have a "use" of "enc", not "${jwk.use}".`);
    }
    const missing = isHmac || jwk.key_ops === undefined ? undefined : usages.find((usage) => !jwk.key_ops.includes(usage));
    if (missing !== undefined) fail("DataError", `"jwk" key missing usage "${missing}", in "key_ops".`);
    checkExportable(jwk, name, extractable);
    const wanted = jwk.alg === undefined ? undefined : algorithmOf(algorithm);
    if (jwk.alg === wanted) return;
    fail("DataError", isHmac
      ? `HMAC "jwk" key import specifies "alg" that is incompatible with the hash name (encountered "${jwk.alg}", expected "${wanted}").`
      : `Symmetric "jwk" key contains invalid "alg" value "${jwk.alg}", expected "${wanted}".`);
  };

  const checkUses = (jwk, name, usages, allowed) => {
    const { use, key_ops: ops } = jwk;
    const use0 = name === "RSA-OAEP" || name === "ECDH" || name === "X25519" ? "enc" : "sig";
    if (use !== undefined && use !== use0 && usages.length > 0) {
      fail("DataError", `Asymmetric "jwk" key import with usages requires a JSON Web Key with Public Key Use parameter "use" ("${use}") equal to "${use0}".`);
    }
    if (ops === undefined) return;
    if (new Set(ops).size !== ops.length) {
      fail("DataError", 'A JSON Web Key\'s Key Operations parameter ("key_ops") must not contain duplicates.');
    }
    const strange = use === undefined ? undefined : ops.find((op) => !allowed.includes(op));
    if (strange !== undefined) {
      const words = allowed.map((op) => `"${op}"`).join(" and/or ");
      fail("DataError",
        'A JSON Web Key should have either a Public Key Use parameter ("use") or a Key Operations parameter ("key_ops"); ' +
        `otherwise, the parameters must be consistent with each other. A Public Key Use for ${name} would allow a Key ` +
        `Operations array with only ${words} values (not "${strange}").`);
    }
    if (!usages.every((usage) => ops.includes(usage))) {
      fail("DataError", 'All specified key usages must be present in the JSON Web Key\'s Key Operations parameter ("key_ops").');
    }
  };
  const unknownAlgorithm = (alg) =>
    fail("NotSupportedError", `Unrecognized or unimplemented algorithm "${alg}" listed in JSON Web Key Algorithm parameter.`);
  const checkAlgorithm = ({ alg }, kind, name, wanted) => {
    if (alg === undefined) return;
    const mismatch = (what) => fail("DataError", `JSON Web Key Algorithm parameter "alg" ("${alg}") does not match requested ${what}.`);
    if (kind === "okp") {
      if (alg !== "EdDSA") mismatch(`${name} curve`);
    } else if (kind === "ec") {
      if (!Object.hasOwn(CURVES, alg)) unknownAlgorithm(alg);
      if (CURVES[alg] !== wanted) mismatch("curve");
    } else {
      const found = /^(?:RS|PS|RSA-OAEP-)(1|256|384|512)$/.exec(alg === "RSA-OAEP" ? "RS1" : alg);
      if (found === null) unknownAlgorithm(alg);
      if (`SHA-${found[1]}` !== wanted) mismatch(`hash algorithm "${wanted}"`);
    }
  };

  const checkPublicRsa = (jwk, number) => {
    if (number(jwk.n) === null) fail("DataError", 'Invalid RSA key in JSON Web Key; missing or invalid Modulus parameter ("n").');
    if (number(jwk.e) === null) fail("DataError", 'Invalid RSA key in JSON Web Key; missing or invalid Exponent parameter ("e").');
    const primes = PRIMES.filter((field) => jwk[field] !== undefined).length;
    if (jwk.d !== undefined && primes !== 0 && primes !== PRIMES.length) {
      fail("DataError",
        "Invalid RSA private key in JSON Web Key; if one Prime Factor or CRT Exponent/Coefficient parameter is present, " +
        'then they must all be present ("p", "q", "dp", "dq", "qi").');
    }
  };
  const checkFields = (jwk, kind, name) => {
    const number = (text) => (text === undefined ? null : platform.host.base64UrlDecode(text));
    if (kind === "rsa") return checkPublicRsa(jwk, number);
    if (kind === "okp" && number(jwk.x) === null) {
      fail("DataError", `Invalid ${name} key in JSON WebKey; missing or invalid public key component ("x").`);
    }
    for (const field of kind === "ec" ? ["x", "y"] : []) {
      if (number(jwk[field]) === null) fail("DataError", `Invalid EC key in JSON Web Key; missing "${field}".`);
    }
  };
  const TITLES = { ec: 'Elliptic curve "jwk" key import', rsa: '"jwk" key import', okp: '"jwk" key imports' };
  // `wanted`: the curve of an elliptic curve key, the hash of an RSA key.
  const checkPair = (jwk, { kind, name, usages: [forPublic, forPrivate] }, wanted, usages, extractable) => {
    const type = KEY_TYPES[kind];
    if (jwk.kty !== type) {
      const title = kind === "ec" ? TITLES.ec : `${name} ${TITLES[kind]}`;
      fail("DataError", `${title} requires a JSON Web Key with Key Type parameter "kty" ("${jwk.kty}") equal to "${type}".`);
    }
    const allowed = jwk.use === undefined ? [] : [...forPrivate, ...forPublic];
    checkUses(jwk, name, usages, allowed);
    checkExportable(jwk, name, extractable);
    checkAlgorithm(jwk, kind, name, wanted);
    checkFields(jwk, kind, name);
  };

  platform.subtleJwk = { fieldsOf, algorithmOf, checkSecret, checkPair };
});
