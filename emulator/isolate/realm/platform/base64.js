// atob and btoa: forgiving base64. https://infra.spec.whatwg.org/#forgiving-base64
(function (platform) {
  "use strict";
  const { host, makeDOMException } = platform;
  const invalid = (message) => makeDOMException(message, "InvalidCharacterError");
  const required = (name, count) => {
    if (count === 0) throw new TypeError(`Failed to execute '${name}': parameter 1 is not of type 'string'.`);
  };

  platform.expose("btoa", function btoa(data) {
    required("btoa", arguments.length);
    const text = host.base64Encode(`${data}`);
    if (text === null) {
      throw invalid("btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.");
    }
    return text;
  });

  platform.expose("atob", function atob(data) {
    required("atob", arguments.length);
    const binary = host.base64Decode(`${data}`);
    if (binary === null) {
      throw invalid(
        "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to " +
          "two terminal '=' signs when the input data length is divisible by 4 are allowed.)",
      );
    }
    return binary;
  });
});
