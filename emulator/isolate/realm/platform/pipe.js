// pipeTo and pipeThrough (standard, section 4.2 and ReadableStreamPipeTo).
(function (platform) {
  "use strict";

  const { then, resolved, rejected, handled, noop } = platform.async;
  const { dictionaryOf, wrongField } = platform.idl;
  const { bytesView } = platform.bytes;
  const streams = platform.streams;

  const pipeOptions = (options) => {
    const given = dictionaryOf(options, 2, "PipeToOptions", "pipeTo", "ReadableStream");
    const { preventAbort, preventCancel, preventClose, signal } = given;
    if (signal !== undefined && !platform.isAbortSignal(signal)) {
      throw wrongField("PipeToOptions", "signal", "AbortSignal");
    }
    return {
      preventAbort: Boolean(preventAbort), preventCancel: Boolean(preventCancel), preventClose: Boolean(preventClose),
      signal,
    };
  };

  // What a byte transform is written by a pipe: text too, unlike from a writer. Null for anything else.
  const toBytes = (chunk) => (typeof chunk === "string" ? platform.utf8Encode(platform.usv(chunk)) : bytesView(chunk));

  // One pipe under way. It shuts down once, after the writes that it has begun.
  class Pipe {
    constructor(source, destination, options, resolve, reject) {
      this.source = source;
      this.destination = destination;
      this.options = options;
      this.resolve = resolve;
      this.reject = reject;
      // Between two streams of the platform bytes pass as they come.
      this.reader = destination.takesBytes ? streams.acquireReader(source) : streams.acquireLimited(source);
      this.writer = new streams.WriterRecord(destination);
      destination.piped = true;
      this.lastWrite = resolved(undefined);
      this.shuttingDown = false;
      this.forget = noop;
    }
    start() {
      this.source.disturbed = true;
      const { signal } = this.options;
      if (signal !== undefined) {
        this.forget = platform.onAbort(signal, (reason) => this.onAbort(reason));
        if (this.shuttingDown) return;
      }
      this.watch();
      if (!this.shuttingDown) this.step();
    }
    watch() {
      then(this.reader.closedPromise, () => this.onSourceClosed(), (error) => this.onSourceError(error));
      then(this.writer.closed.promise, () => this.onDestinationClosed(), (error) => this.onDestinationError(error));
      if (this.source.state === "errored") this.onSourceError(this.source.error);
      else if (this.destination.state === "errored") this.onDestinationError(this.destination.error);
      else if (this.source.state === "closed") this.onSourceClosed();
      else if (this.destination.closing || this.destination.state === "closed") this.onDestinationClosed();
    }
    step() {
      if (this.shuttingDown) return;
      then(this.writer.ready.promise, () => {
        if (this.shuttingDown) return;
        this.reader.read({
          chunk: (given) => {
            const chunk = this.destination.takesBytes ? toBytes(given) : given;
            if (chunk === null) return this.onWrongChunk();
            this.lastWrite = handled(this.writer.write(chunk));
            // Reading on in a job of its own keeps the stack flat.
            then(resolved(undefined), () => this.step());
          },
          close: noop,
          fail: noop,
        });
      }, noop);
    }
    onWrongChunk() {
      const error = new TypeError("This WritableStream only supports writing byte types.");
      handled(streams.cancelStream(this.source, error));
      this.onSourceError(error);
    }
    onAbort(reason) {
      const actions = [];
      if (!this.options.preventAbort) {
        actions.push(() => (this.destination.state === "writable" || this.destination.state === "erroring"
          ? this.destination.abort(reason) : resolved(undefined)));
      }
      if (!this.options.preventCancel) {
        actions.push(() => (this.source.state === "readable"
          ? streams.cancelStream(this.source, reason) : resolved(undefined)));
      }
      this.shutdown(() => Promise.all(actions.map((action) => action())), [reason]);
    }
    onSourceError(error) {
      this.shutdown(this.options.preventAbort ? null : () => this.destination.abort(error), [error]);
    }
    onDestinationError(error) {
      this.shutdown(this.options.preventCancel ? null : () => streams.cancelStream(this.source, error), [error]);
    }
    onSourceClosed() {
      this.shutdown(this.options.preventClose ? null : () => this.writer.closeWithErrorPropagation(), null);
    }
    onDestinationClosed() {
      if (this.shuttingDown) return;
      const error = new TypeError("This WritableStream has been closed.");
      this.shutdown(this.options.preventCancel ? null : () => streams.cancelStream(this.source, error), [error]);
    }
    // `failure`: [error] or null.
    shutdown(action, failure) {
      if (this.shuttingDown) return;
      this.shuttingDown = true;
      const act = () => {
        if (action === null) return this.finish(failure);
        then(action(), () => this.finish(failure), (error) => this.finish([error]));
      };
      if (this.destination.state === "writable" && !this.destination.closing) this.afterWrites(act);
      else act();
    }
    afterWrites(act) {
      const last = this.lastWrite;
      const again = () => (last === this.lastWrite ? act() : this.afterWrites(act));
      then(last, again, again);
    }
    finish(failure) {
      this.forget();
      this.destination.piped = false;
      this.writer.release();
      this.reader.release();
      if (failure === null) this.resolve(undefined);
      else this.reject(failure[0]);
    }
  }

  const pipe = (source, destination, options) =>
    new Promise((resolve, reject) => new Pipe(source, destination, options, resolve, reject).start());

  streams.pipeTo = (source, destination, given) => {
    try {
      if (!streams.isWritable(destination)) {
        throw new TypeError(
          "Failed to execute 'pipeTo' on 'ReadableStream': parameter 1 is not of type 'WritableStream'.");
      }
      const options = pipeOptions(given);
      if (source.reader !== null) throw new TypeError(streams.LOCKED);
      const target = streams.writableRecord(destination);
      if (target.writer !== null) throw new TypeError("This WritableStream is currently locked to a writer");
      return pipe(source, target, options);
    } catch (error) {
      return rejected(error);
    }
  };

  streams.pipeThrough = (source, transform, given) => {
    if (transform === undefined || transform === null) {
      platform.wrongParameter(1, "Transform", "pipeThrough", "ReadableStream");
    }
    const { readable, writable } = dictionaryOf(transform, 1, "Transform", "pipeThrough", "ReadableStream");
    if (!streams.isReadable(readable)) throw wrongField("Transform", "readable", "ReadableStream");
    if (!streams.isWritable(writable)) throw wrongField("Transform", "writable", "WritableStream");
    const options = pipeOptions(given);
    if (source.reader !== null) throw new TypeError(streams.LOCKED);
    const target = streams.writableRecord(writable);
    if (target.writer !== null) throw new TypeError(streams.WRITABLE_LOCKED);
    handled(pipe(source, target, options));
    return readable;
  };
});
