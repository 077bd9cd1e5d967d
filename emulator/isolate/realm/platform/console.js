// console. https://console.spec.whatwg.org/ in the format of platform.inspect.
//
//   platform.reportUncaught(error)  dispatches "error" on the scope, else logs "Uncaught ..."
(function (platform) {
  "use strict";
  const { host, inspect } = platform;
  const { now } = Date;
  const counts = new Map();
  const timers = new Map();
  let indent = "";

  const plain = (value) => (typeof value === "string" ? value : inspect(value));
  const asString = (value) => {
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    return typeof value === "object" && value !== null ? inspect(value, 0) : String(value);
  };
  const asNumber = (value, convert) => {
    if (typeof value === "bigint") return `${value}n`;
    return typeof value === "symbol" || Object(value) === value ? "NaN" : String(convert(value));
  };
  const asJSON = (value) => {
    try {
      return JSON.stringify(value) ?? "undefined";
    } catch {
      return "[Circular]";
    }
  };
  const CONVERSIONS = {
    s: asString,
    d: (value) => asNumber(value, Number),
    i: (value) => asNumber(value, parseInt),
    f: (value) => (typeof value === "symbol" ? "NaN" : String(parseFloat(value))),
    j: asJSON,
    o: (value) => inspect(value, 4),
    O: (value) => inspect(value),
    c: () => "",
  };
  const format = (args) => {
    if (args.length === 1) return plain(args[0]);
    let used = 0;
    let text = "";
    if (typeof args[0] === "string") {
      used = 1;
      text = args[0].replace(/%([sdifjoOc%])/g, (found, letter) => {
        if (letter === "%") return "%";
        return used < args.length ? CONVERSIONS[letter](args[used++]) : found;
      });
    }
    for (; used < args.length; used++) text += (used === 0 ? "" : " ") + plain(args[used]);
    return text;
  };
  platform.format = format;
  const write = (level, text) => {
    host.log(level, indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));
  };
  const labelled = (label) => (label === undefined ? "default" : `${label}`);
  const elapsed = (label) => {
    const ms = host.monotonic() - timers.get(label);
    return ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${ms.toFixed(ms < 1 ? 3 : 2)}ms`;
  };

  const cells = (value) => {
    if (Object(value) !== value || typeof value === "function") return null;
    if (value instanceof Map) return [...value].map(([key, item]) => [inspect(key), item]);
    if (value instanceof Set) return [...value].map((item, index) => [`${index}`, item]);
    return Object.entries(value);
  };
  const table = (data, columns) => {
    const rows = cells(data);
    if (rows === null || platform.isPyProxy?.(data)) return plain(data);
    const names = columns === undefined ? [] : platform.list(columns, "console.table(): parameter 2").map(String);
    let values = false;
    const body = rows.map(([index, row]) => {
      const entries = cells(row);
      if (entries === null) values = true;
      else if (columns === undefined) for (const [key] of entries) if (!names.includes(key)) names.push(key);
      return [index, entries === null ? {} : Object.fromEntries(entries), entries === null ? inspect(row, 0) : ""];
    });
    const head = ["(index)", ...names, ...(values ? ["Values"] : [])];
    const lines = body.map(([index, entries, value]) => [
      index,
      ...names.map((name) => (Object.hasOwn(entries, name) ? inspect(entries[name], 0) : "")),
      ...(values ? [value] : []),
    ]);
    const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i].length)) + 2);
    const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
    const line = (texts) => `│${texts.map((text, i) => ` ${text}`.padEnd(widths[i])).join("│")}│`;
    return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...lines.map(line), rule("└", "┴", "┘")].join("\n");
  };

  const stack = () => platform.userFrames(platform.engineStack(new Error())).join("\n");

  const console = {
    log: (...args) => write("log", format(args)),
    info: (...args) => write("info", format(args)),
    debug: (...args) => write("debug", format(args)),
    warn: (...args) => write("warn", format(args)),
    error: (...args) => write("error", format(args)),
    trace: (...args) => {
      const message = args.length === 0 ? "Trace" : `Trace: ${format(args)}`;
      write("log", `${message}\n${stack()}`.trimEnd());
    },
    assert: (condition = false, ...args) => {
      if (condition) return;
      if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
      else args.unshift(args.length === 0 ? "Assertion failed" : "Assertion failed:");
      write("error", format(args));
    },
    dir: (value, options) => write("log", inspect(value, options?.depth === null ? Infinity : (options?.depth ?? 2))),
    dirxml: (...args) => write("log", format(args)),
    table: (data, columns) => write("log", table(data, columns)),
    count: (label) => {
      label = labelled(label);
      counts.set(label, (counts.get(label) ?? 0) + 1);
      write("log", `${label}: ${counts.get(label)}`);
    },
    countReset: (label) => {
      label = labelled(label);
      if (!counts.delete(label)) write("warn", `Count for '${label}' does not exist`);
    },
    group: (...args) => {
      if (args.length > 0) write("log", format(args));
      indent += "  ";
    },
    groupCollapsed: (...args) => console.group(...args),
    groupEnd: () => {
      indent = indent.slice(2);
    },
    time: (label) => {
      label = labelled(label);
      if (timers.has(label)) write("warn", `Label '${label}' already exists for console.time()`);
      else timers.set(label, host.monotonic());
    },
    timeLog: (label, ...args) => {
      label = labelled(label);
      if (!timers.has(label)) return write("warn", `No such label '${label}' for console.timeLog()`);
      write("log", [`${label}: ${elapsed(label)}`, ...args.map(plain)].join(" "));
    },
    timeEnd: (label) => {
      label = labelled(label);
      if (!timers.has(label)) return write("warn", `No such label '${label}' for console.timeEnd()`);
      write("log", `${label}: ${elapsed(label)}`);
      timers.delete(label);
    },
    timeStamp: () => {},
    profile: () => {},
    profileEnd: () => {},
    clear: () => {},
  };
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  Object.defineProperty(globalThis, "console", { value: console, writable: true, configurable: true });

  platform.reportUncaught = (error) => {
    try {
      if (!platform.dispatchGlobalError(error)) return;
    } catch (another) {
      host.log("error", `Uncaught ${platform.errorText(another)}`);
    }
    platform.tellUncaught(error);
  };
  // The isolate puts its own in place, which explains the error.
  platform.tellUncaught = (error) => host.log("error", `Uncaught ${platform.errorText(error)}`);
  platform.expose("reportError", function reportError(error) {
    if (arguments.length === 0) platform.wrongParameter(1, "Value", "reportError", "ServiceWorkerGlobalScope");
    platform.reportUncaught(error);
  });
});
