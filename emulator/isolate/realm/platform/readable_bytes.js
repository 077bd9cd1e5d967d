// Readable byte streams: the byte controller and its BYOB requests (standard, sections 4.7 and
// 4.8). The buffers that a Worker gives are detached; inside they are used as they are.
(function (platform) {
  "use strict";

  const { then, resolved, promiseCall } = platform.async;
  const { illegal, illegalConstructor, callbackOf, highWaterMarkOf, exposeClass } = platform.idl;
  const { bytesView, copyBytes } = platform.bytes;
  const { transfer } = ArrayBuffer.prototype;
  const streams = platform.streams;
  const { Queue, secret, closeStream, errorStream, StreamRecord } = streams;
  const apply = Reflect.apply;
  const Bytes = Uint8Array;
  const Buffer = ArrayBuffer;
  const bytesSet = Uint8Array.prototype.set;
  const bytesSubarray = Uint8Array.prototype.subarray;
  const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const CHUNK = 4096; // what a read() of an internal stream gives at most
  const viewClasses = new Map();
  for (const Class of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array, globalThis.Float16Array]) {
    if (Class) viewClasses.set(Class.name, Class);
  }
  const classOf = (view) => viewClasses.get(apply(tagOf, view, [])) ?? DataView;

  class PullInto {
    constructor(buffer, byteOffset, byteLength, minimumFill, elementSize, ViewClass, type) {
      this.buffer = buffer;
      this.byteOffset = byteOffset;
      this.byteLength = byteLength;
      this.minimumFill = minimumFill;
      this.elementSize = elementSize;
      this.ViewClass = ViewClass;
      this.type = type; // "byob", "default", or "none" once its reader has left
      this.filled = 0;
    }
    view() {
      return new this.ViewClass(this.buffer, this.byteOffset, this.filled / this.elementSize);
    }
  }

  class ByteControllerRecord {
    constructor(stream, highWaterMark, autoAllocate) {
      this.stream = stream;
      this.queue = new Queue(); // of Uint8Array
      this.total = 0;
      this.highWaterMark = highWaterMark;
      this.autoAllocate = autoAllocate;
      this.pending = new Queue(); // of PullInto
      this.started = false;
      this.closeRequested = false;
      this.pulling = false;
      this.pullAgain = false;
      this.pull = null;
      this.cancel = null;
      this.object = null;
      this.request = null;
      stream.controller = this;
    }
    get canCloseOrEnqueue() {
      return !this.closeRequested && this.stream.state === "readable";
    }
    get desiredSize() {
      const state = this.stream.state;
      if (state === "errored") return null;
      return state === "closed" ? 0 : this.highWaterMark - this.total;
    }
    get shouldPull() {
      if (!this.canCloseOrEnqueue || !this.started) return false;
      const reader = this.stream.reader;
      if (reader !== null && reader.requests.length > 0) return true;
      return this.highWaterMark - this.total > 0;
    }
    callPullIfNeeded() {
      while (this.shouldPull) {
        if (this.pulling) {
          this.pullAgain = true;
          return;
        }
        this.pulling = true;
        const answer = this.pull === null ? undefined : this.pull();
        if (answer !== undefined) {
          then(answer, () => {
            this.pulling = false;
            if (this.pullAgain) {
              this.pullAgain = false;
              this.callPullIfNeeded();
            }
          }, (error) => this.fail(error));
          return;
        }
        this.pulling = false;
        if (!this.pullAgain) return;
        this.pullAgain = false;
      }
    }
    start(promise) {
      then(promise, () => {
        this.started = true;
        this.callPullIfNeeded();
      }, (error) => this.fail(error));
    }
    clearAlgorithms() {
      this.pull = this.cancel = null;
    }
    invalidateRequest() {
      if (this.request === null) return;
      this.request.controller = null;
      this.request.view = null;
      this.request = null;
    }
    clearPending() {
      this.invalidateRequest();
      this.pending.clear();
    }
    resetQueue() {
      this.queue.clear();
      this.total = 0;
    }
    close() {
      if (!this.canCloseOrEnqueue) return;
      if (this.total > 0) {
        this.closeRequested = true;
        return;
      }
      if (this.pending.length > 0 && this.pending.peek().filled % this.pending.peek().elementSize !== 0) {
        const error = new TypeError("The stream was closed in the middle of an element of the view that is read into.");
        this.fail(error);
        throw error;
      }
      this.clearAlgorithms();
      closeStream(this.stream);
    }
    // close() for the platform's own sources, which do not answer BYOB requests one by one.
    finish() {
      this.close();
      if (this.stream.state === "closed" && this.pending.length > 0) this.respondInternal(0);
    }
    fail(error) {
      if (this.stream.state !== "readable") return;
      this.clearPending();
      this.resetQueue();
      this.clearAlgorithms();
      errorStream(this.stream, error);
    }
    cancelSteps(reason) {
      this.clearPending();
      this.resetQueue();
      const cancel = this.cancel;
      this.clearAlgorithms();
      const answer = cancel === null ? undefined : cancel(reason);
      return answer === undefined ? resolved(undefined) : answer;
    }
    releaseSteps() {
      if (this.pending.length === 0) return;
      const first = this.pending.peek();
      first.type = "none";
      this.pending.clear();
      this.pending.push(first);
    }
    push(view) {
      this.queue.push(view);
      this.total += view.byteLength;
    }
    enqueue(view) {
      if (!this.canCloseOrEnqueue) return;
      if (this.pending.length > 0) {
        this.invalidateRequest();
        const first = this.pending.peek();
        if (first.type === "none") this.requeue(first);
      }
      const reader = this.stream.reader;
      if (reader === null) this.push(view);
      else if (reader.byob) {
        this.push(view);
        this.commitAll(this.fillPending());
      } else {
        while (this.total > 0 && reader.requests.length > 0) this.answerFromQueue(reader.requests.shift());
        if (reader.requests.length === 0) this.push(view);
        else {
          if (this.pending.length > 0) this.pending.shift();
          const request = reader.requests.shift();
          if (reader.limited) {
            this.push(view);
            this.answerFromQueue(request);
          } else {
            request.chunk(view);
          }
        }
      }
      this.callPullIfNeeded();
    }
    // Gives what a pull-into of a reader that left has got back to the queue.
    requeue(pullInto) {
      if (pullInto.filled > 0) {
        this.push(copyBytes(new Bytes(pullInto.buffer, pullInto.byteOffset, pullInto.filled)));
      }
      this.pending.shift();
    }
    answerFromQueue(request) {
      const view = this.stream.reader.limited ? this.takePiece() : this.queue.shift();
      this.total -= view.byteLength;
      this.handleDrain();
      request.chunk(view);
    }
    // As on the platform: the beginning of a buffer of CHUNK bytes, however few of them were read.
    takePiece() {
      const head = this.queue.peek();
      const piece = new Bytes(CHUNK);
      if (head.byteLength <= CHUNK) {
        this.queue.shift();
        apply(bytesSet, piece, [head]);
        return apply(bytesSubarray, piece, [0, head.byteLength]);
      }
      apply(bytesSet, piece, [apply(bytesSubarray, head, [0, CHUNK])]);
      this.queue.items[this.queue.head] = apply(bytesSubarray, head, [CHUNK]);
      return piece;
    }
    handleDrain() {
      if (this.total === 0 && this.closeRequested) {
        this.clearAlgorithms();
        closeStream(this.stream);
      } else {
        this.callPullIfNeeded();
      }
    }
    fill(pullInto) {
      const most = pullInto.filled + Math.min(this.total, pullInto.byteLength - pullInto.filled);
      const aligned = most - (most % pullInto.elementSize);
      const ready = aligned >= pullInto.minimumFill;
      let left = (ready ? aligned : most) - pullInto.filled;
      const target = new Bytes(pullInto.buffer, pullInto.byteOffset, pullInto.byteLength);
      while (left > 0) {
        const head = this.queue.peek();
        const count = Math.min(left, head.byteLength);
        const taken = count === head.byteLength ? head : apply(bytesSubarray, head, [0, count]);
        apply(bytesSet, target, [taken, pullInto.filled]);
        if (count === head.byteLength) this.queue.shift();
        else this.queue.items[this.queue.head] = apply(bytesSubarray, head, [count]);
        this.total -= count;
        pullInto.filled += count;
        left -= count;
      }
      return ready;
    }
    fillPending() {
      const filled = [];
      while (this.pending.length > 0 && this.total > 0 && this.fill(this.pending.peek())) {
        filled[filled.length] = this.pending.shift();
      }
      return filled;
    }
    commit(pullInto) {
      const reader = this.stream.reader;
      const request = reader.requests.shift();
      if (this.stream.state === "closed" && pullInto.type === "byob") request.close(pullInto.view());
      else request.chunk(pullInto.view());
    }
    commitAll(filled) {
      for (let i = 0; i < filled.length; i++) this.commit(filled[i]);
    }
    pullSteps(request) {
      if (this.total > 0) {
        this.answerFromQueue(request);
        return;
      }
      if (this.autoAllocate !== undefined) {
        let buffer;
        try {
          buffer = new Buffer(this.autoAllocate);
        } catch (error) {
          request.fail(error);
          return;
        }
        this.pending.push(new PullInto(buffer, 0, this.autoAllocate, 1, 1, Bytes, "default"));
      }
      this.stream.reader.requests.push(request);
      this.callPullIfNeeded();
    }
    pullInto(view, minimum, request) {
      const ViewClass = classOf(view);
      const elementSize = ViewClass === DataView ? 1 : ViewClass.BYTES_PER_ELEMENT;
      const item = new PullInto(
        view.buffer, view.byteOffset, view.byteLength, minimum * elementSize, elementSize, ViewClass, "byob");
      const reader = this.stream.reader;
      if (this.pending.length > 0) {
        this.pending.push(item);
        reader.requests.push(request);
        return;
      }
      if (this.stream.state === "closed") {
        request.close(item.view());
        return;
      }
      if (this.total > 0) {
        if (this.fill(item)) {
          this.handleDrain();
          request.chunk(item.view());
          return;
        }
        if (this.closeRequested) {
          const error = new TypeError("The stream ended before the view could be filled.");
          this.fail(error);
          request.fail(error);
          return;
        }
      }
      this.pending.push(item);
      reader.requests.push(request);
      this.callPullIfNeeded();
    }
    respond(count) {
      const first = this.pending.peek();
      if (this.stream.state === "closed") {
        if (count !== 0) throw new TypeError("bytesWritten must be 0 when the stream is closed.");
      } else if (count === 0) {
        throw new TypeError("The bytesWritten must be more than zero while the stream is open.");
      } else if (first.filled + count > first.byteLength) {
        throw new RangeError(`Too many bytes [${count}] in response to a BYOB read request.`);
      }
      this.respondInternal(count);
    }
    respondWithNewView(view) {
      const first = this.pending.peek();
      if (this.stream.state === "closed") {
        if (view.byteLength !== 0) throw new TypeError("The view must be empty when the stream is closed.");
      } else if (view.byteLength === 0) {
        throw new TypeError("The view must not be empty while the stream is open.");
      }
      if (first.byteOffset + first.filled !== view.byteOffset || first.filled + view.byteLength > first.byteLength) {
        throw new RangeError("The view does not cover the requested region.");
      }
      if (view.buffer.byteLength !== first.buffer.byteLength) {
        throw new RangeError("The underlying ArrayBuffer is not the correct length.");
      }
      first.buffer = view.buffer;
      this.respondInternal(view.byteLength);
    }
    respondInternal(count) {
      const first = this.pending.peek();
      this.invalidateRequest();
      if (this.stream.state === "closed") {
        if (first.type === "none") this.pending.shift();
        const reader = this.stream.reader;
        if (reader !== null && reader.byob) {
          while (reader.requests.length > 0 && this.pending.length > 0) this.commit(this.pending.shift());
        }
      } else {
        this.respondReadable(first, count);
      }
      this.callPullIfNeeded();
    }
    respondReadable(first, count) {
      first.filled += count;
      if (first.type === "none") {
        this.requeue(first);
        this.commitAll(this.fillPending());
        return;
      }
      if (first.filled < first.minimumFill) return;
      this.pending.shift();
      const rest = first.filled % first.elementSize;
      if (rest > 0) {
        this.push(copyBytes(new Bytes(first.buffer, first.byteOffset + first.filled - rest, rest)));
        first.filled -= rest;
      }
      const filled = this.fillPending();
      this.commit(first);
      this.commitAll(filled);
    }
    get requestObject() {
      if (this.request === null && this.pending.length > 0) {
        const first = this.pending.peek();
        const view = new Bytes(first.buffer, first.byteOffset + first.filled, first.byteLength - first.filled);
        this.request = { controller: this, view, object: null, atLeast: Math.max(1, first.minimumFill - first.filled) };
        this.request.object = new ReadableStreamBYOBRequest(secret, this.request);
      }
      return this.request === null ? null : this.request.object;
    }
  }

  class ReadableStreamBYOBRequest {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    get view() {
      if (!(#record in this)) throw illegal();
      return this.#record.view;
    }
    get atLeast() {
      if (!(#record in this)) throw illegal();
      return this.#record.controller === null ? null : this.#record.atLeast;
    }
    respond(bytesWritten) {
      if (!(#record in this)) throw illegal();
      const count = Number(bytesWritten);
      if (!(count >= 0) || count !== Math.floor(count)) throw new TypeError("bytesWritten must be a whole number.");
      this.#controller().respond(count);
    }
    respondWithNewView(view) {
      if (!(#record in this)) throw illegal();
      const bytes = bytesView(view);
      if (bytes === null) throw new TypeError("respondWithNewView() needs a view.");
      this.#controller().respondWithNewView(bytes);
    }
    #controller() {
      const controller = this.#record.controller;
      if (controller === null) throw new TypeError("This ReadableStreamBYOBRequest has been invalidated.");
      return controller;
    }
  }
  exposeClass("ReadableStreamBYOBRequest", ReadableStreamBYOBRequest);

  class ReadableByteStreamController {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    get byobRequest() {
      if (!(#record in this)) throw illegal();
      return this.#record.requestObject;
    }
    get desiredSize() {
      if (!(#record in this)) throw illegal();
      return this.#record.desiredSize;
    }
    close() {
      if (!(#record in this)) throw illegal();
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("This ReadableStream is closed.");
      this.#record.close();
    }
    enqueue(chunk) {
      if (!(#record in this)) throw illegal();
      const bytes = bytesView(chunk);
      if (bytes === null) platform.wrongParameter(1, "BufferSource", "enqueue", "ReadableByteStreamController");
      if (bytes.byteLength === 0) throw new TypeError("Cannot enqueue a zero-length ArrayBuffer.");
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("Unable to enqueue");
      const { byteOffset, length } = bytes;
      this.#record.enqueue(new Bytes(apply(transfer, bytes.buffer, []), byteOffset, length));
    }
    error(reason) {
      if (!(#record in this)) throw illegal();
      this.#record.fail(reason);
    }
  }
  exposeClass("ReadableByteStreamController", ReadableByteStreamController);

  // ---- making them ---------------------------------------------------------------------

  const AUTO_ALLOCATED = 4096; // on the platform sources have a byobRequest for every read
  const startBytesFrom = (stream, source, strategy) => {
    const highWaterMark = highWaterMarkOf(strategy, 0);
    const start = callbackOf(source, "start", "UnderlyingSource");
    const pull = callbackOf(source, "pull", "UnderlyingSource");
    const cancel = callbackOf(source, "cancel", "UnderlyingSource");
    const given = source.autoAllocateChunkSize;
    const auto = given === undefined || given === null ? AUTO_ALLOCATED : Math.floor(Number(given));
    if (!(auto > 0 && auto < Infinity)) throw new TypeError("The autoAllocateChunkSize option cannot be zero.");
    const controller = new ByteControllerRecord(stream, highWaterMark, auto);
    const object = (controller.object = new ReadableByteStreamController(secret, controller));
    if (pull) controller.pull = () => promiseCall(pull, source, [object]);
    if (cancel) controller.cancel = (reason) => promiseCall(cancel, source, [reason]);
    controller.start(start ? promiseCall(start, source, [object]) : resolved(undefined));
  };

  // A byte stream made by the platform, ready to be pulled. See makeDefault.
  const makeBytes = (source, highWaterMark = 0) => {
    const stream = new StreamRecord();
    const controller = new ByteControllerRecord(stream, highWaterMark, undefined);
    if (source.pull) controller.pull = () => source.pull(controller);
    if (source.cancel) controller.cancel = (reason) => source.cancel(reason, controller);
    stream.internal = true;
    return stream;
  };

  const tee = (stream) =>
    stream.controller instanceof ByteControllerRecord
      ? streams.teeWith(stream, (source) => makeBytes(source, 0), copyBytes)
      : streams.teeWith(stream, (source) => streams.makeDefault(source, 1), undefined);

  Object.assign(streams, { startBytesFrom, makeBytes, tee, ByteControllerRecord, viewClassOf: classOf });
})
