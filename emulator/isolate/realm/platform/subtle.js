// What SubtleCrypto's methods do. https://w3c.github.io/webcrypto/#subtlecrypto-interface
//
// A key's material is the secret itself, or DER: PKCS #8 of a private key, SPKI of a public one.
(function (platform) {
  "use strict";
  const { host, makeDOMException, makeKey, keyState, view, list } = platform;
  const BLOCK_BITS = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024, MD5: 512 };
  const CURVES = ["P-256", "P-384", "P-521"];
  const FORMATS = ["raw", "pkcs8", "spki", "jwk"];
  const ALL_USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
  const MOST_PBKDF2_ITERATIONS = 100000;
  const EMPTY = new Uint8Array(0);

  // kind: which operations serve it. usages: of a secret, or [of the public, of the private] key.
  const CIPHER = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
  const SIGNER = [["verify"], ["sign"]];
  const DERIVER = ["deriveKey", "deriveBits"];
  const ALGORITHMS = {
    HMAC: { kind: "hmac", usages: ["sign", "verify"] },
    "AES-GCM": { kind: "aes", usages: CIPHER },
    "AES-CBC": { kind: "aes", usages: CIPHER },
    "AES-CTR": { kind: "aes", usages: CIPHER },
    "AES-KW": { kind: "aes", usages: ["wrapKey", "unwrapKey"] },
    HKDF: { kind: "derive", usages: DERIVER },
    PBKDF2: { kind: "derive", usages: DERIVER },
    "RSASSA-PKCS1-v1_5": { kind: "rsa", pair: true, usages: SIGNER },
    "RSA-PSS": { kind: "rsa", pair: true, usages: SIGNER },
    "RSA-OAEP": { kind: "rsa", pair: true, usages: [["encrypt", "wrapKey"], ["decrypt", "unwrapKey"]] },
    ECDSA: { kind: "ec", pair: true, usages: SIGNER },
    ECDH: { kind: "ec", pair: true, usages: [[], DERIVER] },
    Ed25519: { kind: "okp", pair: true, usages: SIGNER },
    X25519: { kind: "okp", pair: true, usages: [[], DERIVER] },
  };
  const CANONICAL = new Map(Object.keys(ALGORITHMS).map((name) => [name.toUpperCase(), name]));

  const fail = (name, message) => {
    throw makeDOMException(message, name);
  };
  const required = (method, given, count) => {
    if (given < count) {
      throw new TypeError(`Failed to execute '${method}' on 'SubtleCrypto': parameter ${given + 1} is missing.`);
    }
  };
  const bufferOf = (value, what) => {
    const bytes = view(value);
    if (bytes === null) throw new TypeError(`${what} is not of type 'ArrayBuffer or ArrayBufferView'.`);
    return bytes;
  };
  const argument = (method, position, value) =>
    bufferOf(value, `Failed to execute '${method}' on 'SubtleCrypto': parameter ${position}`);
  const member = (dictionary, name, field) => {
    if (dictionary[field] === undefined) throw new TypeError(`Missing field "${field}" in "${name}".`);
    return bufferOf(dictionary[field], `Field "${field}" of "${name}"`);
  };
  const optional = (dictionary, name, field) =>
    dictionary[field] === undefined ? null : member(dictionary, name, field);
  const nameOf = (value) => (Object(value) === value ? `${value.name}` : `${value}`);
  // {name, dictionary} of an AlgorithmIdentifier that names an algorithm of keys.
  const normal = (value) => {
    const given = nameOf(value);
    const name = CANONICAL.get(given.toUpperCase());
    if (name === undefined) fail("NotSupportedError", `Unrecognized or unimplemented algorithm "${given}" requested.`);
    return { name, dictionary: Object(value) === value ? value : {}, ...ALGORITHMS[name] };
  };
  const hashOf = (value) => {
    const name = nameOf(value).toUpperCase();
    if (!Object.hasOwn(BLOCK_BITS, name)) {
      fail("NotSupportedError", `Unrecognized or unimplemented digest algorithm requested: "${nameOf(value)}".`);
    }
    return name;
  };
  platform.digestName = hashOf;
  const curveOf = (dictionary) => {
    const curve = `${dictionary.namedCurve}`;
    if (!CURVES.includes(curve)) fail("NotSupportedError", `Unrecognized or unimplemented EC curve "${curve}" requested.`);
    return curve;
  };
  const usagesOf = (value, allowed, name) => {
    const usages = list(value, "Key usages").map(String);
    for (const usage of usages) {
      if (!ALL_USAGES.includes(usage)) throw new TypeError(`Invalid key usage "${usage}".`);
      if (!allowed.includes(usage)) fail("SyntaxError", `Attempt to use invalid key usage "${usage}" with ${name}.`);
    }
    return ALL_USAGES.filter((usage) => usages.includes(usage));
  };
  // The state of a key that may be used so.
  const stateOf = (key, usage, name) => {
    const state = keyState(key);
    if (state === undefined) throw new TypeError("The key is not of type 'CryptoKey'.");
    if (name !== undefined && state.algorithm.name !== name) {
      fail("InvalidAccessError", `Requested algorithm "${name}" does not match this CryptoKey's algorithm "${state.algorithm.name}".`);
    }
    if (!state.usages.includes(usage)) {
      fail("InvalidAccessError", `Requested key usage "${usage}" does not match any usage listed in CryptoKey.`);
    }
    return state;
  };
  const secret = (material, algorithm, extractable, usages) => {
    if (usages.length === 0) fail("SyntaxError", "Secret key cannot be created with an empty usage list.");
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
      return host.rsaOaep(encrypting, state.algorithm.hash.name, material, optional(dictionary, name, "label"), data);
    }
    if (name === "AES-KW") return host.aesKeyWrap(encrypting, material, data);
    if (name === "AES-CTR") {
      const counter = member(dictionary, name, "counter");
      if (counter.length !== 16) fail("OperationError", "AES-CTR counter must be 16 bytes long.");
      const length = Number(dictionary.length);
      if (!(length >= 1 && length <= 128)) fail("OperationError", "AES-CTR counter length must be between 1 and 128 bits.");
      return host.aesCtr(material, counter, length, data);
    }
    const iv = member(dictionary, name, "iv");
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
    return host.aesGcm(encrypting, material, iv, optional(dictionary, name, "additionalData"), tagLength / 8, data);
  };

  const signature = (state, dictionary, data, check) => {
    const { name, hash } = state.algorithm;
    if (name === "HMAC") {
      const mac = host.hmac(hash.name, state.material, data);
      if (check === undefined) return mac;
      return check.length === mac.byteLength && host.timingSafeEqual(check, new Uint8Array(mac));
    }
    const type = check === undefined ? "private" : "public";
    if (state.type !== type) fail("InvalidAccessError", `Asymmetric ${check === undefined ? "signing" : "verification"} requires a ${type} key.`);
    const digest = name === "ECDSA" ? hashOf(dictionary.hash) : hash === undefined ? "" : hash.name;
    const salt = name === "RSA-PSS" ? Number(dictionary.saltLength) : 0;
    if (!(salt >= 0)) fail("OperationError", "RSA-PSS needs a saltLength.");
    if (check === undefined) return host.sign(name, digest, state.material, data, salt);
    return host.verify(name, digest, state.material, check, data, salt);
  };

  // ---- importing and exporting ----

  const JWK_FIELDS = ["kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k", "alg", "use"];
  const jwkOf = (data) => {
    if (Object(data) !== data || view(data) !== null) {
      throw new TypeError('JSON Web Key import requires a JSON Web Key object.');
    }
    const jwk = {};
    for (const field of JWK_FIELDS) if (data[field] !== undefined && data[field] !== null) jwk[field] = `${data[field]}`;
    return jwk;
  };
  const aesLength = (length) => {
    if (![128, 192, 256].includes(length)) {
      fail("DataError", `Imported AES key length must be 128, 192, or 256 bits but provided ${length}.`);
    }
    return length;
  };
  const importSecret = (algorithm, format, data) => {
    if (format === "raw") return owned(argument("importKey", 2, data));
    if (format !== "jwk") fail("NotSupportedError", `Unsupported import format "${format}" for ${algorithm.name}.`);
    const jwk = jwkOf(data);
    if (jwk.kty !== "oct") fail("DataError", `Symmetric "jwk" key import requires a JSON Web Key with Key Type "oct".`);
    const material = jwk.k === undefined ? null : host.base64UrlDecode(jwk.k);
    if (material === null) fail("DataError", "Symmetric JSON Web Key has no valid base64url field \"k\".");
    return new Uint8Array(material);
  };
  const importPair = (algorithm, format, data, extractable, usages) => {
    const { name, dictionary, kind } = algorithm;
    const curve = kind === "ec" ? curveOf(dictionary) : name;
    const source = format === "jwk" ? JSON.stringify(jwkOf(data)) : argument("importKey", 2, data);
    const [type, der, modulusLength, exponent] = host.importPairKey(kind, curve, format, source);
    const allowed = algorithm.usages[type === "private" ? 1 : 0];
    const state = { type, extractable: !!extractable, material: new Uint8Array(der), usages: usagesOf(usages, allowed, name) };
    if (type === "private" && state.usages.length === 0) {
      fail("SyntaxError", "Private key cannot be created with an empty usage list.");
    }
    state.algorithm = pairAlgorithm(algorithm, modulusLength, exponent);
    return makeKey(state);
  };
  const pairAlgorithm = ({ name, kind, dictionary }, modulusLength, exponent) => {
    if (kind === "ec") return { name, namedCurve: curveOf(dictionary) };
    if (kind === "okp") return { name };
    return { name, modulusLength, publicExponent: new Uint8Array(exponent), hash: { name: hashOf(dictionary.hash) } };
  };
  const importKey = (format, data, identifier, extractable, usages) => {
    format = `${format}`;
    if (!FORMATS.includes(format)) throw new TypeError(`Unrecognized key import format "${format}".`);
    const algorithm = normal(identifier);
    const { name, kind, dictionary, pair } = algorithm;
    if (pair) return importPair(algorithm, format, data, extractable, usages);
    const wanted = usagesOf(usages, algorithm.usages, name);
    if (kind === "derive") {
      if (format !== "raw") fail("NotSupportedError", `${name} only supports the "raw" import format.`);
      if (extractable) fail("SyntaxError", `${name} key cannot be extractable.`);
      return secret(owned(argument("importKey", 2, data)), { name }, false, wanted);
    }
    const hash = kind === "hmac" ? hashOf(dictionary.hash) : undefined;
    const material = importSecret(algorithm, format, data);
    const bits = material.length * 8;
    if (kind === "aes") return secret(material, { name, length: aesLength(bits) }, extractable, wanted);
    const length = dictionary.length === undefined ? bits : Number(dictionary.length);
    if (bits === 0 || length > bits || length <= bits - 8) {
      fail("DataError", `Imported HMAC key length (${length}) does not fit ${bits} bits of key data.`);
    }
    return secret(material, { name, hash: { name: hash }, length }, extractable, wanted);
  };
  const jwkAlgorithm = (algorithm) => {
    const { name, hash, length } = algorithm;
    const bits = hash === undefined ? "" : hash.name.slice(4);
    if (name.startsWith("AES-")) return `A${length}${name.slice(4)}`;
    if (name === "HMAC") return `HS${bits}`;
    if (name === "RSASSA-PKCS1-v1_5") return `RS${bits}`;
    if (name === "RSA-PSS") return `PS${bits}`;
    return name === "RSA-OAEP" ? (bits === "1" ? name : `${name}-${bits}`) : undefined;
  };
  const exportJwk = ({ type, algorithm, material, usages, extractable }) => {
    const fields =
      type === "secret"
        ? { kty: "oct", k: host.base64UrlEncode(material) }
        : JSON.parse(host.exportPairKey(ALGORITHMS[algorithm.name].kind, type, "jwk", material));
    const alg = jwkAlgorithm(algorithm);
    return { ...fields, ...(alg === undefined ? {} : { alg }), key_ops: usages.slice(), ext: extractable };
  };
  const exportKey = (format, key) => {
    const state = keyState(key);
    if (state === undefined) throw new TypeError("Failed to execute 'exportKey' on 'SubtleCrypto': parameter 2 is not of type 'CryptoKey'.");
    format = `${format}`;
    if (!FORMATS.includes(format)) throw new TypeError(`Unrecognized key export format "${format}".`);
    if (!state.extractable) fail("InvalidAccessError", "Attempt to export non-extractable key.");
    const { type, algorithm, material } = state;
    if (format === "jwk") return exportJwk(state);
    if (type === "secret" && format === "raw") return owned(material).buffer;
    const wanted = format === "pkcs8" ? "private" : "public";
    if (type === "secret" || type !== wanted) {
      fail("InvalidAccessError", `A ${type} key cannot be exported in the format "${format}".`);
    }
    return host.exportPairKey(ALGORITHMS[algorithm.name].kind, type, format, material);
  };

  // ---- generating and deriving ----

  const secretBits = (name, dictionary) => {
    if (name !== "HMAC") {
      const length = Number(dictionary.length);
      if (![128, 192, 256].includes(length)) fail("OperationError", `Generated AES key length must be 128, 192, or 256 bits but requested ${dictionary.length}.`);
      return length;
    }
    const length = dictionary.length === undefined ? BLOCK_BITS[hashOf(dictionary.hash)] : Number(dictionary.length);
    if (!(length > 0)) fail("OperationError", "HMAC key length must be a non-zero number of bits.");
    return length;
  };
  const generatePair = (algorithm, extractable, usages) => {
    const { name, kind, dictionary } = algorithm;
    const [forPublic, forPrivate] = algorithm.usages;
    const wanted = usagesOf(usages, [...forPublic, ...forPrivate], name);
    const exponent = kind === "rsa" ? host.bytesToNumber(member(dictionary, name, "publicExponent")) : 0;
    const bits = kind === "rsa" ? Number(dictionary.modulusLength) : 0;
    const described = pairAlgorithm(algorithm, bits, dictionary.publicExponent ?? EMPTY);
    const [spki, pkcs8] = host.generatePair(kind, kind === "ec" ? described.namedCurve : name, bits, exponent);
    const only = (allowed) => wanted.filter((usage) => allowed.includes(usage));
    if (only(forPrivate).length === 0) fail("SyntaxError", "Private key cannot be created with an empty usage list.");
    const make = (type, der, allowed, exportable) =>
      makeKey({ type, extractable: exportable, algorithm: described, usages: only(allowed), material: new Uint8Array(der) });
    return {
      publicKey: make("public", spki, forPublic, true),
      privateKey: make("private", pkcs8, forPrivate, !!extractable),
    };
  };
  const generateKey = (identifier, extractable, usages) => {
    const algorithm = normal(identifier);
    const { name, kind, dictionary, pair } = algorithm;
    if (pair) return generatePair(algorithm, extractable, usages);
    if (kind === "derive") fail("NotSupportedError", `The ${name} algorithm cannot generate keys.`);
    const length = secretBits(name, dictionary);
    const described = kind === "hmac" ? { name, hash: { name: hashOf(dictionary.hash) }, length } : { name, length };
    const material = new Uint8Array(host.randomBytes(Math.ceil(length / 8)));
    return secret(material, described, extractable, usagesOf(usages, algorithm.usages, name));
  };
  const derive = (state, { name, dictionary }, bits) => {
    if (name === "ECDH" || name === "X25519") {
      const peer = keyState(dictionary.public);
      if (peer === undefined || peer.type !== "public" || peer.algorithm.name !== name) {
        fail("InvalidAccessError", `The public key of ${name} is not a public ${name} key.`);
      }
      if (peer.algorithm.namedCurve !== state.algorithm.namedCurve) {
        fail("InvalidAccessError", "The curves of the two keys differ.");
      }
      const shared = new Uint8Array(host.agree(name, state.material, peer.material));
      if (bits === null) return shared.buffer;
      if (bits > shared.length * 8) fail("OperationError", "Derived key length is too long.");
      const result = shared.slice(0, Math.ceil(bits / 8));
      if (bits % 8 !== 0) result[result.length - 1] &= 0xff00 >> bits % 8;
      return result.buffer;
    }
    if (bits === null || bits % 8 !== 0) fail("OperationError", `${name} cannot derive a length that is not a multiple of 8 bits.`);
    const hash = hashOf(dictionary.hash);
    const salt = member(dictionary, name, "salt");
    if (name === "HKDF") return host.hkdf(hash, state.material, salt, member(dictionary, name, "info"), bits / 8);
    const iterations = Number(dictionary.iterations);
    if (!(iterations >= 1)) fail("OperationError", "PBKDF2 needs at least one iteration.");
    if (iterations > MOST_PBKDF2_ITERATIONS) {
      fail("NotSupportedError", `Pbkdf2 failed: iteration counts above ${MOST_PBKDF2_ITERATIONS} are not supported (requested ${iterations}).`);
    }
    return host.pbkdf2(hash, state.material, salt, iterations, bits / 8);
  };
  const deriver = (identifier, key, usage) => {
    const algorithm = normal(identifier);
    if (!["ECDH", "X25519", "HKDF", "PBKDF2"].includes(algorithm.name)) {
      fail("NotSupportedError", `The ${algorithm.name} algorithm cannot derive bits.`);
    }
    return [stateOf(key, usage, algorithm.name), algorithm];
  };

  Object.assign(platform.subtle, {
    digest(...args) {
      required("digest", args.length, 2);
      return host.digest(hashOf(args[0]), argument("digest", 2, args[1]));
    },
    encrypt(...args) {
      required("encrypt", args.length, 3);
      const { name, dictionary } = normal(args[0]);
      return cipher(true, stateOf(args[1], "encrypt", name), dictionary, argument("encrypt", 3, args[2]));
    },
    decrypt(...args) {
      required("decrypt", args.length, 3);
      const { name, dictionary } = normal(args[0]);
      return cipher(false, stateOf(args[1], "decrypt", name), dictionary, argument("decrypt", 3, args[2]));
    },
    sign(...args) {
      required("sign", args.length, 3);
      const { name, dictionary } = normal(args[0]);
      return signature(stateOf(args[1], "sign", name), dictionary, argument("sign", 3, args[2]));
    },
    verify(...args) {
      required("verify", args.length, 4);
      const { name, dictionary } = normal(args[0]);
      const check = argument("verify", 3, args[2]);
      return signature(stateOf(args[1], "verify", name), dictionary, argument("verify", 4, args[3]), check);
    },
    generateKey(...args) {
      required("generateKey", args.length, 3);
      return generateKey(...args);
    },
    importKey(...args) {
      required("importKey", args.length, 5);
      return importKey(...args);
    },
    exportKey(...args) {
      required("exportKey", args.length, 2);
      return exportKey(...args);
    },
    deriveBits(...args) {
      required("deriveBits", args.length, 2);
      const bits = args[2] === undefined || args[2] === null ? null : Number(args[2]);
      return derive(...deriver(args[0], args[1], "deriveBits"), bits);
    },
    deriveKey(...args) {
      required("deriveKey", args.length, 5);
      const target = normal(args[2]);
      const bits = target.kind === "derive" ? null : secretBits(target.name, target.dictionary);
      const material = derive(...deriver(args[0], args[1], "deriveKey"), bits);
      return importKey("raw", material, args[2], args[3], args[4]);
    },
    wrapKey(...args) {
      required("wrapKey", args.length, 4);
      const { name, dictionary } = normal(args[3]);
      const state = stateOf(args[2], "wrapKey", name);
      const exported = exportKey(args[0], args[1]);
      const data = args[0] === "jwk" ? platform.utf8Encode(JSON.stringify(exported)) : new Uint8Array(exported);
      return cipher(true, state, dictionary, data);
    },
    unwrapKey(...args) {
      required("unwrapKey", args.length, 7);
      const { name, dictionary } = normal(args[3]);
      const state = stateOf(args[2], "unwrapKey", name);
      const data = new Uint8Array(cipher(false, state, dictionary, argument("unwrapKey", 2, args[1])));
      const source = args[0] === "jwk" ? JSON.parse(platform.utf8Decode(data)) : data;
      return importKey(args[0], source, args[4], args[5], args[6]);
    },
  });
});
