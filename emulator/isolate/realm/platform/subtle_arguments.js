// The arguments of SubtleCrypto's methods: which algorithms there are, what has to be given, and the
// platform's words for what is wrong. https://w3c.github.io/webcrypto/#algorithm-normalization
(function (platform) {
  "use strict";
  const { makeDOMException, keyState, view, list } = platform;
  const BLOCK_BITS = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024, MD5: 512 };
  const CURVES = ["P-256", "P-384", "P-521"];
  const ALL_USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

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
    "NODE-ED25519": { kind: "okp", pair: true, usages: SIGNER },
    Ed25519: { kind: "okp", pair: true, usages: SIGNER },
    X25519: { kind: "okp", pair: true, usages: [[], DERIVER] },
  };
  const CANONICAL = new Map(Object.keys(ALGORITHMS).map((name) => [name.toUpperCase(), name]));

  const fail = (name, message) => {
    throw makeDOMException(message, name);
  };
  // The types of the parameters that have to be given.
  const IMPORT = "string or ImportKeyAlgorithm";
  const BUFFER = "BufferSource";
  const PARAMETERS = {
    digest: ["string or HashAlgorithm", BUFFER],
    encrypt: ["string or EncryptAlgorithm", "CryptoKey", BUFFER],
    decrypt: ["string or EncryptAlgorithm", "CryptoKey", BUFFER],
    sign: ["string or SignAlgorithm", "CryptoKey", BUFFER],
    verify: ["string or SignAlgorithm", "CryptoKey", BUFFER, BUFFER],
    generateKey: ["string or GenerateKeyAlgorithm", "boolean", "Array"],
    importKey: ["string", "BufferSource or JsonWebKey", IMPORT, "boolean", "Array"],
    exportKey: ["string", "CryptoKey"],
    deriveBits: ["string or DeriveKeyAlgorithm", "CryptoKey"],
    deriveKey: ["string or DeriveKeyAlgorithm", "CryptoKey", IMPORT, "boolean", "Array"],
    wrapKey: ["string", "CryptoKey", "CryptoKey", "string or EncryptAlgorithm"],
    unwrapKey: ["string", BUFFER, "CryptoKey", "string or EncryptAlgorithm", IMPORT, "boolean", "Array"],
  };
  const wrong = (method, position) =>
    platform.wrongParameter(position, PARAMETERS[method][position - 1], method, "SubtleCrypto");
  const required = (method, args) => {
    const types = PARAMETERS[method];
    for (let i = 0; i < types.length; i++) {
      if (i >= args.length) wrong(method, i + 1);
      if (types[i] === "CryptoKey" && keyState(args[i]) === undefined) wrong(method, i + 1);
      if (types[i] === "Array" && !Array.isArray(args[i])) wrong(method, i + 1);
    }
  };
  const argument = (method, position, value) => view(value) ?? wrong(method, position);
  const given = (dictionary, field) => {
    if (dictionary[field] === undefined) throw new TypeError(`Missing field "${field}" in "algorithm".`);
    return dictionary[field];
  };
  const member = (dictionary, type, field) => {
    const bytes = view(given(dictionary, field));
    if (bytes !== null) return bytes;
    throw new TypeError(
      `Incorrect type for the '${field}' field on '${type}': the provided value is not of type 'BufferSource'.`,
    );
  };
  const optional = (dictionary, type, field) =>
    dictionary[field] === undefined ? null : member(dictionary, type, field);
  const nameOf = (value) => (Object(value) === value ? `${value.name}` : `${value}`);
  // {name, dictionary} of an AlgorithmIdentifier that names an algorithm of keys, for `purpose`.
  const normal = (value, purpose) => {
    const asked = nameOf(value);
    const name = CANONICAL.get(asked.toUpperCase());
    if (name === undefined) fail("NotSupportedError", `Unrecognized ${purpose} algorithm "${asked}" requested.`);
    return { name, dictionary: Object(value) === value ? value : {}, ...ALGORITHMS[name] };
  };
  // The same for an operation of `key`, whose algorithm it has to be.
  const normalFor = (key, value) => {
    const asked = nameOf(value);
    if (!CANONICAL.has(asked.toUpperCase())) mismatch(asked, keyState(key));
    return normal(value, "");
  };
  const mismatch = (name, state) =>
    fail("InvalidAccessError", `Requested algorithm "${name}" does not match this CryptoKey's algorithm "${state.algorithm.name}".`);
  const hashOf = (value) => {
    const name = nameOf(value).toUpperCase();
    if (!Object.hasOwn(BLOCK_BITS, name)) {
      fail("NotSupportedError", "Unrecognized or unimplemented digest algorithm requested.");
    }
    return name;
  };
  platform.digestName = hashOf;
  const curveOf = (dictionary) => {
    const asked = `${given(dictionary, "namedCurve")}`;
    const curve = CURVES.find((known) => known === asked.toUpperCase());
    return curve ?? fail("NotSupportedError", `Unrecognized or unimplemented EC curve "${asked}" requested.`);
  };
  // `doing`: what the key is wanted for, in the words of the error.
  const usagesOf = (value, allowed, doing) => {
    const usages = list(value, "Key usages").map(String);
    for (const usage of usages) {
      if (!allowed.includes(usage)) fail("SyntaxError", `Attempt to ${doing} key with invalid usage "${usage}".`);
    }
    return ALL_USAGES.filter((usage) => usages.includes(usage));
  };
  // The state of a key that may be used so.
  const stateOf = (key, usage, name) => {
    const state = keyState(key);
    if (state.algorithm.name !== name) mismatch(name, state);
    if (!state.usages.includes(usage)) {
      fail("InvalidAccessError", `Requested key usage "${usage}" does not match any usage listed in this CryptoKey.`);
    }
    return state;
  };

  platform.subtleArguments = {
    ALGORITHMS, BLOCK_BITS, fail, wrong, required, argument, given, member, optional, normal, normalFor, hashOf,
    curveOf, usagesOf, stateOf,
  };
});
