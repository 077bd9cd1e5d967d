// Blob and File, https://w3c.github.io/FileAPI/. All bytes are in memory, as on Workers.
(function (platform) {
  "use strict";

  const { illegal, exposeClass } = platform.idl;
  const { resolved, rejected } = platform.async;
  const { bytesView, copyBytes, concatBytes } = platform.bytes;
  const { utf8Encode, bufferOf, usv, host } = platform;
  const KEEP_BOM = 4; // a flag of host.utf8Decode: unlike Response.text(), the platform keeps it
  const streams = platform.streams;
  const isArray = Array.isArray;
  const apply = Reflect.apply;
  const matches = RegExp.prototype.test;
  const lower = String.prototype.toLowerCase;
  const subarray = Uint8Array.prototype.subarray;
  const now = Date.now;
  const PRINTABLE = /^[\x20-\x7e]*$/;
  const secret = Symbol("blob key");

  class BlobRecord {
    constructor(bytes, type) {
      this.bytes = bytes; // never changed: slices share them
      this.type = type;
    }
  }

  const toType = (value) => {
    if (value === undefined) return "";
    const text = `${value}`;
    return apply(matches, PRINTABLE, [text]) ? apply(lower, text, []) : "";
  };

  const partBytes = (part) => {
    if (isBlob(part)) return blobRecord(part).bytes;
    const view = bytesView(part);
    if (view !== null) return copyBytes(view);
    return utf8Encode(usv(part));
  };

  // On Workers the parts have to be a real Array: other iterables are refused.
  const makeRecord = (parts, options, what) => {
    let type;
    if (options !== undefined && options !== null) {
      if (typeof options !== "object" && typeof options !== "function") {
        platform.wrongParameter(what === "File" ? 3 : 2, "Options", null, what);
      }
      if (options.endings !== undefined) {
        throw new Error("The 'endings' field on 'Options' is not implemented.");
      }
      type = options.type;
    }
    if (parts === undefined) return new BlobRecord(new Uint8Array(0), toType(type));
    if (!isArray(parts)) {
      throw new TypeError(`Failed to construct '${what}': constructor parameter 1 is not of type 'Array'.`);
    }
    const pieces = [];
    let total = 0;
    for (let i = 0; i < parts.length; i++) {
      const bytes = partBytes(parts[i]);
      pieces[i] = bytes;
      total += bytes.length;
    }
    return new BlobRecord(pieces.length === 1 ? pieces[0] : concatBytes(pieces, total), toType(type));
  };

  const clampIndex = (value, size, fallback) => {
    if (value === undefined) return fallback;
    let index = Math.trunc(Number(value));
    if (Number.isNaN(index)) index = 0;
    return index < 0 ? Math.max(size + index, 0) : Math.min(index, size);
  };

  let isBlob;
  let blobRecord;
  class Blob {
    #record;
    constructor(parts, options) {
      this.#record = parts === secret ? options : makeRecord(parts, options, "Blob");
    }
    static {
      isBlob = (value) => typeof value === "object" && value !== null && #record in value;
      blobRecord = (blob) => blob.#record;
    }
    get size() {
      if (!(#record in this)) throw illegal();
      return this.#record.bytes.length;
    }
    get type() {
      if (!(#record in this)) throw illegal();
      return this.#record.type;
    }
    slice(start, end, type) {
      if (!(#record in this)) throw illegal();
      const { bytes } = this.#record;
      const from = clampIndex(start, bytes.length, 0);
      const to = Math.max(clampIndex(end, bytes.length, bytes.length), from);
      return makeBlob(apply(subarray, bytes, [from, to]), toType(type));
    }
    arrayBuffer() {
      if (!(#record in this)) return rejected(illegal());
      return resolved(copyBytes(this.#record.bytes).buffer);
    }
    bytes() {
      if (!(#record in this)) return rejected(illegal());
      return resolved(copyBytes(this.#record.bytes));
    }
    text() {
      if (!(#record in this)) return rejected(illegal());
      return resolved(host.utf8Decode(bufferOf(this.#record.bytes), KEEP_BOM));
    }
    stream() {
      if (!(#record in this)) throw illegal();
      const { bytes } = this.#record;
      const stream = streams.makeBytes({
        pull: (controller) => {
          if (bytes.length > 0) controller.enqueue(copyBytes(bytes));
          controller.finish();
        },
      });
      stream.length = bytes.length;
      return streams.objectOf(streams.startNow(stream));
    }
  }
  exposeClass("Blob", Blob);

  let isFile;
  class File extends Blob {
    #name;
    #lastModified;
    constructor(parts, name, options) {
      if (parts === secret) {
        super(secret, name);
        this.#name = options.name;
        this.#lastModified = options.lastModified;
        return;
      }
      if (arguments.length < 2) {
        platform.wrongParameter(2, "string", null, "File");
      }
      super(secret, makeRecord(parts, options, "File"));
      this.#name = usv(name);
      const modified = options === undefined || options === null ? undefined : options.lastModified;
      this.#lastModified = modified === undefined ? now() : +modified || 0;
    }
    static {
      isFile = (value) => typeof value === "object" && value !== null && #name in value;
    }
    get name() {
      if (!(#name in this)) throw illegal();
      return this.#name;
    }
    get lastModified() {
      if (!(#name in this)) throw illegal();
      return this.#lastModified;
    }
  }
  exposeClass("File", File);

  platform.serializers.set(isBlob, (blob) =>
    isFile(blob)
      ? platform.makeFile(blobRecord(blob).bytes, blobRecord(blob).type, blob.name, blob.lastModified)
      : new Blob(secret, blobRecord(blob)));

  const makeBlob = (bytes, type) => new Blob(secret, new BlobRecord(bytes, type));

  platform.isBlob = isBlob;
  platform.isFile = isFile;
  platform.blobBytes = (blob) => blobRecord(blob).bytes;
  platform.blobType = (blob) => blobRecord(blob).type;
  platform.makeBlob = makeBlob;
  platform.makeFile = (bytes, type, name, lastModified = now()) =>
    new File(secret, new BlobRecord(bytes, type), { name, lastModified });
});
