// TextEncoder and TextDecoder. https://encoding.spec.whatwg.org/
//
//   platform.utf8Encode(string) -> Uint8Array      platform.utf8Decode(view) -> string, without the BOM
(function (platform) {
  "use strict";
  const { host, illegal } = platform;
  const EMPTY = new ArrayBuffer(0);
  const NO_BYTES = new Uint8Array(EMPTY);
  const STREAM = 1;
  const FATAL = 2;
  const KEEP_BOM = 4;

  const { apply } = Reflect;
  const sliceBuffer = ArrayBuffer.prototype.slice;

  // What the host reads fastest: a buffer that holds just the bytes of the view.
  const bufferOf = (view) => {
    const { buffer, byteOffset, byteLength } = view;
    if (byteLength === buffer.byteLength) return buffer;
    return apply(sliceBuffer, buffer, [byteOffset, byteOffset + byteLength]);
  };
  platform.bufferOf = bufferOf;

  const encode = (string) => new Uint8Array(string === "" ? 0 : host.utf8Encode(string));
  platform.utf8Encode = encode;
  platform.utf8Decode = (view) => (view.length === 0 ? "" : host.utf8Decode(bufferOf(view), 0));

  class TextEncoder {
    #brand;
    get encoding() {
      return #brand in this ? "utf-8" : illegal();
    }
    encode(input = "") {
      if (!(#brand in this)) illegal();
      return encode(`${input}`);
    }
    encodeInto(source, destination) {
      if (!(#brand in this)) illegal();
      source = `${source}`;
      if (!(ArrayBuffer.isView(destination) && platform.view(destination) === destination)) {
        throw new TypeError(
          "Failed to execute 'encodeInto' on 'TextEncoder': parameter 2 is not of type 'Uint8Array'.",
        );
      }
      const room = destination.length;
      const bytes = encode(source.length > room ? source.slice(0, room + 1) : source);
      if (bytes.length <= room && source.length <= room) {
        destination.set(bytes);
        return { read: source.length, written: bytes.length };
      }
      let read = 0;
      let written = 0;
      while (read < source.length) {
        const code = source.codePointAt(read);
        const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (written + size > room) break;
        written += size;
        read += size === 4 ? 2 : 1;
      }
      destination.set(bytes.subarray(0, written));
      return { read, written };
    }
  }

  class TextDecoder {
    #encoding;
    #flags;
    // Of a decoding that goes on: [bytes that wait, codec's state, whether the BOM was looked for].
    #state = null;
    constructor(label = "utf-8", options = undefined) {
      if (options !== undefined && options !== null && Object(options) !== options) {
        platform.wrongParameter(2, "ConstructorOptions", null, "TextDecoder");
      }
      const name = label === "utf-8" ? label : host.encodingName(`${label}`);
      if (name === null || name === "replacement") {
        throw new RangeError(`"${label}" is not a valid encoding.`);
      }
      this.#encoding = name;
      this.#flags = options ? (options.fatal ? FATAL : 0) | (options.ignoreBOM ? KEEP_BOM : 0) : 0;
    }
    get encoding() {
      return #state in this ? this.#encoding : illegal();
    }
    get fatal() {
      return #state in this ? (this.#flags & FATAL) !== 0 : illegal();
    }
    get ignoreBOM() {
      return #state in this ? (this.#flags & KEEP_BOM) !== 0 : illegal();
    }
    decode(input, options) {
      if (!(#state in this)) illegal();
      const view = input === undefined ? NO_BYTES : platform.view(input);
      if (view === null) {
        platform.wrongParameter(1, "Array", "decode", "TextDecoder");
      }
      const stream = options ? !!options.stream : false;
      if (this.#state === null && !stream && this.#encoding === "utf-8") {
        return view.length === 0 ? "" : this.#checked(host.utf8Decode(bufferOf(view), this.#flags));
      }
      const state = this.#state ?? [EMPTY, null, false];
      this.#state = null;
      const flags = this.#flags | (stream ? STREAM : 0);
      const answer = this.#checked(host.decode(this.#encoding, flags, view, state[0], state[1], state[2]));
      if (stream) this.#state = [answer[1], answer[2], answer[3]];
      return answer[0];
    }
    #checked(answer) {
      if (answer === null) throw new TypeError("Failed to decode input.");
      return answer;
    }
  }

  platform.interface(TextEncoder);
  platform.interface(TextDecoder);
});
