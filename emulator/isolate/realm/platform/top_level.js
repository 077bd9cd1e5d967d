// The top level of a Worker's modules, which runs before any event: the clock stands at 0 there, and I/O is refused.
// https://developers.cloudflare.com/workers/runtime-apis/web-standards/#timing-and-scheduling
//
//   platform.topLevel(text)       begins, with the words of what is refused; "" ends it
//   platform.refuseAtTopLevel()   throws during it
//   platform.onTopLevel(watch)    watch(refuse) when it begins, `refuse` throws; watch(null) when it ends
(function (platform) {
  "use strict";
  const { construct, ownKeys } = Reflect;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const Clock = Date;
  const { now } = Date;
  const watchers = [];
  let refusal = "";

  const refuse = () => {
    if (refusal !== "") throw new Error(refusal);
  };
  platform.refuseAtTopLevel = refuse;
  platform.onTopLevel = (watch) => void watchers.push(watch);

  // What the modules keep of it goes on as the real one.
  const Standing = {
    Date: function (...args) {
      const standing = refusal !== "" && args.length === 0;
      if (new.target === undefined) return standing ? new Clock(0).toString() : Clock();
      return construct(Clock, standing ? [0] : args, new.target === Standing ? Clock : new.target);
    },
  }.Date;
  for (const key of ownKeys(Clock)) defineProperty(Standing, key, getOwnPropertyDescriptor(Clock, key));
  const replacement = {
    now() {
      return refusal === "" ? now() : 0;
    },
  };
  defineProperty(Standing, "now", { value: replacement.now, writable: true, configurable: true });
  platform.wasmFunctions.set(Standing, "Date");
  platform.wasmFunctions.set(replacement.now, "now");

  const setDate = (Class) => {
    defineProperty(globalThis, "Date", { value: Class, writable: true, enumerable: false, configurable: true });
    defineProperty(Clock.prototype, "constructor", { value: Class, writable: true, enumerable: false, configurable: true });
  };
  platform.topLevel = (text) => {
    refusal = text;
    if (text !== "") setDate(Standing);
    else if (globalThis.Date === Standing) setDate(Clock); // unless the Worker has put its own there
    for (const watch of watchers) watch(text === "" ? null : refuse);
  };
});
