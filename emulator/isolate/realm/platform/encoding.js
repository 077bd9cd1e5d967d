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

  const Bytes = Uint8Array;
  const typedTag = platform.uncurried(
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Bytes.prototype), Symbol.toStringTag).get);

  // What the host reads fastest: a buffer that holds just the bytes of the view.
  const bufferOf = (view) => {
    const { buffer } = view;
    return view.byteLength === buffer.byteLength ? buffer : new Bytes(view).buffer;
  };
  platform.bufferOf = bufferOf;

  const { utf8Encode, utf8Decode } = host;
  const encode = (string) => new Bytes(string === "" ? 0 : utf8Encode(string));
  platform.utf8Encode = encode;
  platform.utf8Decode = (view) => (view.length === 0 ? "" : utf8Decode(bufferOf(view), 0));

  class TextEncoder {
    #brand;
    get encoding() {
      return #brand in this ? "utf-8" : illegal();
    }
    encode(input = "") {
      if (!(#brand in this)) illegal();
      return encode(typeof input === "string" ? input : `${input}`);
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
      const view = typedTag(input) === "Uint8Array" ? input : input === undefined ? NO_BYTES : platform.view(input);
      if (view === null) {
        platform.wrongParameter(1, "Array", "decode", "TextDecoder");
      }
      const stream = options ? !!options.stream : false;
      if (!stream && this.#state === null && this.#encoding === "utf-8") {
        if (view.length === 0) return "";
        const text = utf8Decode(bufferOf(view), this.#flags);
        return text !== null ? text : this.#checked(text);
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
