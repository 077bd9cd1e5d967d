// What SubtleCrypto's methods do. https://w3c.github.io/webcrypto/#subtlecrypto-interface
//
// A key's material is the secret itself, or DER: PKCS #8 of a private key, SPKI of a public one.
(function (platform) {
  "use strict";
  const { host, makeKey, keyState, view, list } = platform;
  const {
    ALGORITHMS, BLOCK_BITS, fail, wrong, required, argument, given, member, optional, normal, normalFor, hashOf,
    curveOf, usagesOf, stateOf,
  } = platform.subtleArguments;
  const { fieldsOf, algorithmOf, checkSecret, checkPair } = platform.subtleJwk;
  const FORMATS = ["raw", "pkcs8", "spki", "jwk"];
  const MOST_PBKDF2_ITERATIONS = 100000;
  const NO_USAGES = "Secret/private CryptoKeys must have at least one usage.";
  const EMPTY = new Uint8Array(0);
  const NODE_ED25519 = "NODE-ED25519"; // the platform's older name of Ed25519
  const SIGNATURE_BYTES = 64; // of Ed25519

  const secret = (material, algorithm, extractable, usages) => {
    if (usages.length === 0) fail("SyntaxError", NO_USAGES);
    return makeKey({ type: "secret", extractable: !!extractable, algorithm, usages, material });
  };
  const owned = (bytes) => bytes.slice();

  // ---- encrypt, decrypt, sign, verify, digest ----

  const cipher = (encrypting, state, dictionary, data) => {
    const { name } = state.algorithm;
    const { material } = state;
    if (name === "RSA-OAEP") {
      const type = encrypting ? "public" : "private";
      if (state.type !== type) fail("InvalidAccessError", `This operation needs a ${type} key.`);
      return host.rsaOaep(encrypting, state.algorithm.hash.name, material, optional(dictionary, "EncryptAlgorithm", "label"), data);
    }
    if (name === "AES-KW") return host.aesKeyWrap(encrypting, material, data);
    if (name === "AES-CTR") {
      const counter = member(dictionary, "EncryptAlgorithm", "counter");
      if (counter.length !== 16) fail("OperationError", `Counter must have length of 16 bytes (provided ${counter.length}).`);
      if (dictionary.length === undefined) throw new TypeError('Missing "length" member in "algorithm".');
      const length = Number(dictionary.length);
      if (!(length >= 1 && length <= 128)) fail("OperationError", `Invalid counter of ${length} bits length provided.`);
      return host.aesCtr(material, counter, length, data);
    }
    const iv = member(dictionary, "EncryptAlgorithm", "iv");
    if (name === "AES-CBC") {
      if (iv.length !== 16) fail("OperationError", `AES-CBC IV must be 16 bytes long (provided ${iv.length} bytes).`);
      return host.aesCbc(encrypting, material, iv, data);
    }
    if (name !== "AES-GCM") fail("NotSupportedError", `The ${name} algorithm cannot encrypt.`);
    const tagLength = dictionary.tagLength === undefined ? 128 : Number(dictionary.tagLength);
    if (![32, 64, 96, 104, 112, 120, 128].includes(tagLength)) {
      fail("OperationError", `Invalid AES-GCM tag length ${dictionary.tagLength}.`);
    }
    if (iv.length === 0) fail("OperationError", "AES-GCM IV must not be empty.");
    return host.aesGcm(encrypting, material, iv, optional(dictionary, "EncryptAlgorithm", "additionalData"), tagLength / 8, data);
  };

  const NO_CALL_HASH =
    'Missing "hash" in AlgorithmIdentifier. (ECDSA requires that the hash algorithm be specified at call time ' +
    "rather than on the key. This differs from other WebCrypto algorithms for historical reasons.)";
  const signature = (state, dictionary, data, check) => {
    const { name, hash } = state.algorithm;
    if (name === "HMAC") {
      const mac = host.hmac(hash.name, state.material, data);
      if (check === undefined) return mac;
      return check.length === mac.byteLength && host.timingSafeEqual(check, new Uint8Array(mac));
    }
    const type = check === undefined ? "private" : "public";
    if (state.type !== type) fail("InvalidAccessError", `Asymmetric ${check === undefined ? "signing" : "verification"} requires a ${type} key.`);
    if (name === "ECDSA" && dictionary.hash === undefined) throw new TypeError(NO_CALL_HASH);
    const digest = name === "ECDSA" ? hashOf(dictionary.hash) : hash === undefined ? "" : hash.name;
    const salt = name === "RSA-PSS" ? Number(dictionary.saltLength) : 0;
    if (Number.isNaN(salt)) fail("DataError", "Failed to provide salt for RSA-PSS key operation which requires a salt");
    if (salt < 0) fail("DataError", `SaltLength for RSA-PSS must be non-negative (provided ${salt}).`);
    const method = name === NODE_ED25519 ? "Ed25519" : name;
    if (check === undefined) return host.sign(method, digest, state.material, data, salt);
    if (method === "Ed25519" && check.length !== SIGNATURE_BYTES) {
      fail("OperationError", `Invalid ${name} signature length ${check.length}`);
    }
    return host.verify(method, digest, state.material, check, data, salt);
  };

  // ---- importing and exporting ----

  const aesLength = (length) => {
    if (![128, 192, 256].includes(length)) {
      fail("DataError", `Imported AES key length must be 128, 192, or 256 bits but provided ${length}.`);
    }
    return length;
  };
  const importSecret = (algorithm, format, data) => {
    if (format === "raw") return owned(argument("importKey", 2, data));
    if (format !== "jwk") fail("NotSupportedError", `Unrecognized key import format "${format}".`);
    const jwk = fieldsOf(data);
    const kind = algorithm.name === "HMAC" ? "HMAC" : "Symmetric";
    if (jwk.kty !== "oct") {
      fail("DataError", `${kind} "jwk" key import requires a JSON Web Key with Key Type parameter ${kind === "HMAC" ? '("kty")' : '"kty"'} equal to "oct" (encountered "${jwk.kty}").`);
    }
    const material = jwk.k === undefined ? null : host.base64UrlDecode(jwk.k);
    if (material === null) fail("DataError", `${kind} "jwk" key import requires a base64Url encoding of the key${kind === "HMAC" ? "" : "."}`);
    return new Uint8Array(material);
  };
  // The curve of a key pair, by the name that the host knows it by.
  const curveNamed = ({ name, kind, dictionary }) => {
    if (kind === "ec") return curveOf(dictionary);
    if (name !== NODE_ED25519) return name;
    const curve = `${given(dictionary, "namedCurve")}`;
    if (curve.toUpperCase() !== NODE_ED25519) fail("NotSupportedError", `EDDSA curve "${curve}" isn't supported.`);
    return "Ed25519";
  };
  const importPair = (algorithm, format, data, extractable, usages) => {
    const { name, dictionary, kind } = algorithm;
    const curve = curveNamed(algorithm);
    let source;
    if (format === "jwk") {
      const jwk = fieldsOf(data);
      const wanted = kind === "rsa" ? hashOf(given(dictionary, "hash")) : curve;
      checkPair(jwk, algorithm, wanted, list(usages, "Key usages").map(String), !!extractable);
      source = JSON.stringify(jwk);
    } else {
      source = argument("importKey", 2, data);
    }
    const [type, der, modulusLength, exponent] = host.importPairKey(kind, curve, format, source);
    const allowed = algorithm.usages[type === "private" ? 1 : 0];
    const state = { type, extractable: !!extractable, material: new Uint8Array(der), usages: usagesOf(usages, allowed, `import ${type} ${name}`) };
    if (type === "private" && state.usages.length === 0) {
      fail("SyntaxError", NO_USAGES);
    }
    state.algorithm = pairAlgorithm(algorithm, modulusLength, exponent);
    return makeKey(state);
  };
  const pairAlgorithm = ({ name, kind, dictionary }, modulusLength, exponent) => {
    if (kind === "ec") return { name, namedCurve: curveOf(dictionary) };
    if (kind === "okp") return name === NODE_ED25519 ? { name, namedCurve: name } : { name };
    return { name, modulusLength, publicExponent: new Uint8Array(exponent), hash: { name: hashOf(given(dictionary, "hash")) } };
  };
  const importKey = (format, data, identifier, extractable, usages) => {
    format = `${format}`;
    if (!FORMATS.includes(format)) fail("NotSupportedError", `Unrecognized key import format "${format}".`);
    const algorithm = normal(identifier, "key import");
    const { name, kind, dictionary, pair } = algorithm;
    if (pair) return importPair(algorithm, format, data, extractable, usages);
    const wanted = usagesOf(usages, algorithm.usages, `import secret ${name}`);
    if (kind === "derive") {
      if (format !== "raw") fail("NotSupportedError", `${name} key must be imported in "raw" format (requested "${format}").`);
      if (extractable) fail("SyntaxError", `${name} key cannot be extractable.`);
      return secret(owned(argument("importKey", 2, data)), { name }, false, wanted);
    }
    const hash = kind === "hmac" ? hashOf(given(dictionary, "hash")) : undefined;
    const material = importSecret(algorithm, format, data);
    const bits = material.length * 8;
    const make = (described) => {
      if (format === "jwk") checkSecret(fieldsOf(data), described, wanted, !!extractable);
      return secret(material, described, extractable, wanted);
    };
    if (kind === "aes") return make({ name, length: aesLength(bits) });
    const length = dictionary.length === undefined ? bits : Number(dictionary.length);
    if (bits === 0 || length > bits || length <= bits - 8) {
      fail("DataError",
        `Imported HMAC key length (${length}) must be a non-zero value up to 7 bits less than, and no greater than, ` +
        `the bit length of the raw key data (${bits}).`);
    }
    return make({ name, hash: { name: hash }, length });
  };
  const exportJwk = ({ type, algorithm, material, usages, extractable }) => {
    const fields =
      type === "secret"
        ? { kty: "oct", k: host.base64UrlEncode(material) }
        : JSON.parse(host.exportPairKey(ALGORITHMS[algorithm.name].kind, type, "jwk", material));
    const alg = algorithmOf(algorithm);
    return { ...fields, ...(alg === undefined ? {} : { alg }), key_ops: usages.slice(), ext: extractable };
  };
  const exportKey = (format, key) => {
    const state = keyState(key);
    format = `${format}`;
    const { type, algorithm, material } = state;
    if (!FORMATS.includes(format) || (type === "secret" && format !== "raw" && format !== "jwk")) {
      fail("NotSupportedError", `Unimplemented key export format "${format}".`);
    }
    if (!state.extractable) fail("InvalidAccessError", `Attempt to export non-extractable ${algorithm.name} key.`);
    if (format === "jwk") return exportJwk(state);
    if (format === "raw" && ALGORITHMS[algorithm.name].kind === "rsa") {
      fail("InvalidAccessError", `Cannot export "${algorithm.name}" in "raw" format.`);
    }
    if (type === "secret" && format === "raw") return owned(material).buffer;
    const wanted = format === "pkcs8" ? "private" : "public";
    if (type !== wanted) {
      fail("InvalidAccessError", format === "raw"
        ? `Raw export of ${algorithm.name} keys is only allowed for public keys.`
        : `Asymmetric ${format} export requires ${wanted} key (not "${type}").`);
    }
    return host.exportPairKey(ALGORITHMS[algorithm.name].kind, type, format, material);
  };

  // ---- generating and deriving ----

  const secretBits = (name, dictionary) => {
    if (name !== "HMAC") {
      const length = Number(given(dictionary, "length"));
      if (![128, 192, 256].includes(length)) fail("OperationError", `Generated AES key length must be 128, 192, or 256 bits but requested ${dictionary.length}.`);
      return length;
    }
    const length = dictionary.length === undefined ? BLOCK_BITS[hashOf(given(dictionary, "hash"))] : Number(dictionary.length);
    if (!(length > 0)) fail("OperationError", `HMAC key length must be a non-zero unsigned long integer (requested ${length}).`);
    return length;
  };
  const checkRsa = (bits, exponent) => {
    if (!(bits >= 256 && bits <= 16384 && bits % 8 === 0)) {
      fail("OperationError", `The modulus length must be a multiple of 8 and between 256 and 16k, but ${bits} was requested.`);
    }
    if (exponent !== 3 && exponent !== 65537) {
      fail("OperationError", `The "publicExponent" must be either 3 or 65537, but got ${exponent}.`);
    }
  };
  const generatePair = (algorithm, extractable, usages) => {
    const { name, kind, dictionary } = algorithm;
    const [forPublic, forPrivate] = algorithm.usages;
    const wanted = usagesOf(usages, [...forPublic, ...forPrivate], `generate ${name}`);
    const exponent = kind === "rsa" ? host.bytesToNumber(member(dictionary, "GenerateKeyAlgorithm", "publicExponent")) : 0;
    const bits = kind === "rsa" ? Number(given(dictionary, "modulusLength")) : 0;
    if (kind === "rsa") checkRsa(bits, exponent);
    const described = pairAlgorithm(algorithm, bits, dictionary.publicExponent ?? EMPTY);
    const [spki, pkcs8] = host.generatePair(kind, curveNamed(algorithm), bits, exponent);
    const only = (allowed) => wanted.filter((usage) => allowed.includes(usage));
    if (only(forPrivate).length === 0) {
      fail("SyntaxError", "Attempt to generate asymmetric keys with no valid private key usages.");
    }
    const make = (type, der, allowed, exportable) =>
      makeKey({ type, extractable: exportable, algorithm: described, usages: only(allowed), material: new Uint8Array(der) });
    return {
      publicKey: make("public", spki, forPublic, true),
      privateKey: make("private", pkcs8, forPrivate, !!extractable),
    };
  };
  const generateKey = (identifier, extractable, usages) => {
    const algorithm = normal(identifier, "key generation");
    const { name, kind, dictionary, pair } = algorithm;
    if (pair) return generatePair(algorithm, extractable, usages);
    if (kind === "derive") fail("NotSupportedError", `Unrecognized key generation algorithm "${name}" requested.`);
    const length = secretBits(name, dictionary);
    const described = kind === "hmac" ? { name, hash: { name: hashOf(given(dictionary, "hash")) }, length } : { name, length };
    const material = new Uint8Array(host.randomBytes(Math.ceil(length / 8)));
    return secret(material, described, extractable, usagesOf(usages, algorithm.usages, `generate ${name}`));
  };
  const derive = (state, { name, dictionary }, bits) => {
    if (name === "ECDH" || name === "X25519") {
      if (dictionary.public === undefined) throw new TypeError('Missing field "public" in "derivedKeyParams".');
      const peer = keyState(dictionary.public);
      if (peer === undefined) {
        throw new TypeError(
          "Incorrect type for the 'public' field on 'DeriveKeyAlgorithm': the provided value is not of type 'CryptoKey'.",
        );
      }
      if (peer.type !== "public") {
        fail("InvalidAccessError", `The provided key has type "${peer.type}", not "public"`);
      }
      if (peer.algorithm.name !== name) {
        fail("InvalidAccessError", `The public key of ${name} is not a public ${name} key.`);
      }
      if (peer.algorithm.namedCurve !== state.algorithm.namedCurve) {
        fail("InvalidAccessError", "The curves of the two keys differ.");
      }
      const shared = new Uint8Array(host.agree(name, state.material, peer.material));
      if (bits === null) return shared.buffer;
      if (bits > shared.length * 8) {
        fail("OperationError", `Derived key length (${bits} bits) is too long (should be at most ${shared.length * 8} bits).`);
      }
      const result = shared.slice(0, Math.ceil(bits / 8));
      if (bits % 8 !== 0) result[result.length - 1] &= 0xff00 >> bits % 8;
      return result.buffer;
    }
    const hash = hashOf(given(dictionary, "hash"));
    const salt = member(dictionary, "DeriveKeyAlgorithm", "salt");
    const info = name === "HKDF" ? member(dictionary, "DeriveKeyAlgorithm", "info") : null;
    const iterations = name === "HKDF" ? 0 : Number(given(dictionary, "iterations"));
    if (bits === null) fail("OperationError", `${name} cannot derive a key with null length.`);
    if (bits % 8 !== 0) {
      fail("OperationError", `${name} requires a derived key length that is a multiple of eight (requested ${bits}).`);
    }
    if (info !== null) return host.hkdf(hash, state.material, salt, info, bits / 8);
    if (!(iterations >= 1)) {
      fail("OperationError", `PBKDF2 requires a positive iteration count (requested ${iterations}).`);
    }
    if (iterations > MOST_PBKDF2_ITERATIONS) {
      fail("NotSupportedError", `Pbkdf2 failed: iteration counts above ${MOST_PBKDF2_ITERATIONS} are not supported (requested ${iterations}).`);
    }
    return host.pbkdf2(hash, state.material, salt, iterations, bits / 8);
  };
  const deriver = (identifier, key, usage) => {
    const algorithm = normalFor(key, identifier);
    const state = stateOf(key, usage, algorithm.name);
    if (!["ECDH", "X25519", "HKDF", "PBKDF2"].includes(algorithm.name)) {
      fail("NotSupportedError", `The ${algorithm.name} algorithm cannot derive bits.`);
    }
    return [state, algorithm];
  };

  Object.assign(platform.subtle, {
    digest(...args) {
      required("digest", args);
      return host.digest(hashOf(args[0]), argument("digest", 2, args[1]));
    },
    encrypt(...args) {
      required("encrypt", args);
      const { name, dictionary } = normalFor(args[1], args[0]);
      return cipher(true, stateOf(args[1], "encrypt", name), dictionary, argument("encrypt", 3, args[2]));
    },
    decrypt(...args) {
      required("decrypt", args);
      const { name, dictionary } = normalFor(args[1], args[0]);
      return cipher(false, stateOf(args[1], "decrypt", name), dictionary, argument("decrypt", 3, args[2]));
    },
    sign(...args) {
      required("sign", args);
      const { name, dictionary } = normalFor(args[1], args[0]);
      return signature(stateOf(args[1], "sign", name), dictionary, argument("sign", 3, args[2]));
    },
    verify(...args) {
      required("verify", args);
      const { name, dictionary } = normalFor(args[1], args[0]);
      const check = argument("verify", 3, args[2]);
      return signature(stateOf(args[1], "verify", name), dictionary, argument("verify", 4, args[3]), check);
    },
    generateKey(...args) {
      required("generateKey", args);
      return generateKey(...args);
    },
    importKey(...args) {
      required("importKey", args);
      return importKey(...args);
    },
    exportKey(...args) {
      required("exportKey", args);
      return exportKey(...args);
    },
    deriveBits(...args) {
      required("deriveBits", args);
      const bits = args[2] === undefined || args[2] === null ? null : Number(args[2]);
      return derive(...deriver(args[0], args[1], "deriveBits"), bits);
    },
    deriveKey(...args) {
      required("deriveKey", args);
      const target = normal(args[2], "key import");
      const bits = target.kind === "derive" ? null : secretBits(target.name, target.dictionary);
      const material = derive(...deriver(args[0], args[1], "deriveKey"), bits);
      return importKey("raw", material, args[2], args[3], args[4]);
    },
    wrapKey(...args) {
      required("wrapKey", args);
      const { name, dictionary } = normalFor(args[2], args[3]);
      const state = stateOf(args[2], "wrapKey", name);
      const exported = exportKey(args[0], args[1]);
      const data = args[0] === "jwk" ? platform.utf8Encode(JSON.stringify(exported)) : new Uint8Array(exported);
      return cipher(true, state, dictionary, data);
    },
    unwrapKey(...args) {
      required("unwrapKey", args);
      const { name, dictionary } = normalFor(args[2], args[3]);
      const state = stateOf(args[2], "unwrapKey", name);
      const data = new Uint8Array(cipher(false, state, dictionary, argument("unwrapKey", 2, args[1])));
      const source = args[0] === "jwk" ? JSON.parse(platform.utf8Decode(data)) : data;
      return importKey(args[0], source, args[4], args[5], args[6]);
    },
  });
});
