// Groups: what lives and dies together, one store of wasmtime each.
//
// wasmtime frees nothing of a store before it deletes the store, and things of two stores cannot be
// linked. So each instance has a group of its own where no module of the Worker could ever link two of
// them, and the items that it imports take it into their group; all others are in one group.
//
// All objects that stand for a thing in a group hold the group, JavaScript's imports are held by it, and
// Python holds no JavaScript object: a group that a Worker dropped is garbage, whatever cycles it is in,
// and its lease tells Python so.
//
//   wasm.openGroup(kinds)     a group for a new instance with exports of these kinds, or for one item
//   wasm.addModule(record)    for each module that the Worker has
//   wasm.isBound(kind, type, mutable)   whether such an item is in one group only
//   wasm.objectOf(group, kind, number), wasm.keepObject   the objects of items, held weakly
//   wasm.watch(group, view), wasm.unwatch, wasm.refresh(group)   buffers of memories that wasm may grow
(function (platform) {
  "use strict";
  const { create } = Object;
  const { wasm } = platform;

  const groups = [];
  let shared;
  const open = () => {
    const [number, lease] = wasm.host.openGroup();
    const group = {
      number,
      lease,
      imports: [],
      functions: new Map(),
      kept: new Map(),
      foreign: new Map(),
      live: [],
      externs: new Map(),
      lastExtern: 0,
      tags: new Map(),
      staged: [],
      objects: create(null),
    };
    groups[number] = platform.weak(group);
    return group;
  };
  // Imports do not hold their group: without an import that does, it needs no garbage collector.
  wasm.dispatch = (number, index) => {
    const group = platform.weakTarget(groups[number]);
    return group.imports[index](group);
  };

  // ---- which group --------------------------------------------------------------

  const COPIED = new Set(["i", "l", "f", "d", "x", "r"]);
  // Functions, tags and constants can be in several groups.
  wasm.isBound = (kind, type, mutable) =>
    kind === "memory" || kind === "table" || (kind === "global" && (mutable || !COPIED.has(type)));
  const importable = new Set();
  let mixed = false;
  wasm.addModule = ({ imports }) => {
    let bound = 0;
    for (let i = 0; i < imports.length; i++) {
      const [, , kind, type, , , mutable] = imports[i];
      if (!wasm.isBound(kind, type, mutable)) continue;
      importable.add(kind);
      bound++;
    }
    if (bound > 1) mixed = true;
  };
  wasm.openGroup = (kinds) => {
    const alone = !mixed || !kinds.some((kind) => importable.has(kind));
    return alone ? open() : (shared ??= open());
  };
  // ---- objects ------------------------------------------------------------------

  const objectsOf = (group, kind) => (group.objects[kind] ??= new Map());
  wasm.targetOf = (reference) => (reference === undefined ? undefined : platform.weakTarget(reference));
  wasm.objectOf = (group, kind, number) => wasm.targetOf(objectsOf(group, kind).get(number));
  wasm.keepObject = (group, kind, number, object) => {
    objectsOf(group, kind).set(number, platform.weak(object));
  };

  // ---- memories whose buffer JavaScript has: wasm may grow them at any time -----------

  const PRUNED = 64;
  wasm.watch = (group, view) => {
    const { live } = group;
    if (live.length >= PRUNED && (live.length & (live.length - 1)) === 0) {
      let kept = 0;
      for (let i = 0; i < live.length; i++) {
        if (platform.weakTarget(live[i].buffer) !== undefined) live[kept++] = live[i];
        else live[i].buffer = null;
      }
      live.length = kept;
    }
    live[live.length] = view;
  };
  wasm.unwatch = (group, view) => {
    const { live } = group;
    let at = 0;
    while (live[at] !== view) at++;
    live[at] = live[live.length - 1];
    live.length--;
    const buffer = platform.weakTarget(view.buffer);
    view.buffer = null;
    if (buffer !== undefined) wasm.host.detach(buffer);
  };
  wasm.refresh = (group) => {
    const { live } = group;
    for (let i = live.length - 1; i >= 0; i--) {
      const view = live[i];
      if (view.size() !== view.bytes) wasm.unwatch(group, view);
    }
  };
});
