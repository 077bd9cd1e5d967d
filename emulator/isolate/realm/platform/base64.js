// atob and btoa: forgiving base64. https://infra.spec.whatwg.org/#forgiving-base64
(function (platform) {
  "use strict";
  const { host, makeDOMException } = platform;
  const invalid = (message) => makeDOMException(message, "InvalidCharacterError");
  const SCOPE = "ServiceWorkerGlobalScope";

  platform.expose("btoa", function btoa(data) {
    if (arguments.length === 0) platform.wrongParameter(1, "String", "btoa", SCOPE);
    const text = host.base64Encode(`${data}`);
    if (text === null) {
      throw invalid("btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.");
    }
    return text;
  });

  platform.expose("atob", function atob(data) {
    if (arguments.length === 0) platform.wrongParameter(1, "string", "atob", SCOPE);
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
