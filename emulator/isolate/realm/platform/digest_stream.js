// crypto.DigestStream: a WritableStream that gives the digest of what was written.
// https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors
(function (platform) {
  "use strict";
  const { host, illegal } = platform;
  const { WritableStream } = globalThis;

  class DigestStream extends WritableStream {
    #digest;
    #bytes = 0n;
    constructor(algorithm) {
      if (algorithm === undefined) platform.wrongParameter(1, "string or HashAlgorithm", null, "DigestStream");
      const name = platform.digestName(algorithm);
      const { promise, resolve, reject } = Promise.withResolvers();
      promise.catch(() => {});
      const hash = host.digestOpen(name, promise);
      let count = () => {};
      super({
        write(chunk) {
          const view = typeof chunk === "string" ? platform.utf8Encode(chunk) : platform.view(chunk);
          if (view === null) {
            const error = new TypeError(
              "DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string type " +
                "on its writable side.",
            );
            reject(error);
            throw error;
          }
          count(view.length);
          host.digestUpdate(hash, view);
        },
        close() {
          resolve(host.digestFinish(hash));
        },
        abort(reason) {
          reject(reason);
        },
      });
      count = (size) => {
        this.#bytes += BigInt(size);
      };
      this.#digest = promise;
    }
    get digest() {
      return #digest in this ? this.#digest : illegal();
    }
    get bytesWritten() {
      return #digest in this ? this.#bytes : illegal();
    }
  }
  platform.tag(DigestStream);
  Object.defineProperty(Object.getPrototypeOf(globalThis.crypto), "DigestStream", {
    value: DigestStream,
    enumerable: true,
    writable: true,
    configurable: true,
  });
});
