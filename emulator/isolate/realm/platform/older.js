// What Workers of older compatibility dates see.
// https://developers.cloudflare.com/workers/configuration/compatibility-flags/
//
//   platform.becomeOlder()    makes the classes fit platform.older (misc.js); called before the Worker loads
(function (platform) {
  "use strict";
  const { getPrototypeOf, getOwnPropertyDescriptors } = Object;

  // set_tostring_tag: objects of the platform were "[object Object]", iterators have what they inherit.
  const removeTags = () => {
    const params = new URLSearchParams();
    const prototypes = [new Headers(), params, new FormData()].flatMap((list) =>
      [list.entries(), list.keys(), list.values()].map(getPrototypeOf));
    const scope = getPrototypeOf(globalThis);
    for (const { value } of Object.values(getOwnPropertyDescriptors(scope))) {
      if (typeof value === "function" && value.prototype) prototypes.push(value.prototype);
    }
    for (const prototype of prototypes) delete prototype[Symbol.toStringTag];
  };

  platform.becomeOlder = () => {
    const { older } = platform;
    if (older.set_tostring_tag) removeTags();
    if (older.cache_option_enabled) delete Request.prototype.cache;
  };
});
