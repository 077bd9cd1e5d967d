// MessageChannel and MessagePort. https://html.spec.whatwg.org/#message-channels
(function (platform) {
  "use strict";
  const { host, illegal, internal: KEY } = platform;

  // One end of a channel; a transferred port hands its end to the new port.
  class End {
    constructor() {
      this.peer = null;
      this.port = null;
      this.queue = [];
      this.started = false;
    }
    receive(data) {
      this.queue.push(data);
      if (this.started) this.deliverLater();
    }
    start() {
      if (this.started) return;
      this.started = true;
      for (let i = 0; i < this.queue.length; i++) this.deliverLater();
    }
    deliverLater() {
      host.setTimer(0, false, platform.guarded(() => {
        if (this.started && this.queue.length > 0) platform.dispatch(this.port, platform.messageEvent(this.queue.shift()));
      }));
    }
    close() {
      const { peer } = this;
      this.peer = null;
      this.queue.length = 0;
      if (peer !== null) peer.peer = null;
    }
  }

  let isPort, movePort;
  class MessagePort extends platform.EventTarget {
    #end;
    #onmessage = null;
    #onmessageerror = null;
    static {
      isPort = (value) => Object(value) === value && #end in value;
      movePort = (from, to) => {
        to.#end = from.#end;
        to.#end.started = false;
        to.#end.port = to;
        from.#end = new End();
      };
    }
    constructor(key, end) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      super();
      this.#end = end;
      end.port = this;
    }
    get onmessage() {
      return #end in this ? this.#onmessage : illegal();
    }
    set onmessage(handler) {
      if (!(#end in this)) illegal();
      this.#onmessage = typeof handler === "function" ? handler : null;
      platform.setHandler(this, "message", this.#onmessage);
      if (this.#onmessage) this.#end.start();
    }
    get onmessageerror() {
      return #end in this ? this.#onmessageerror : illegal();
    }
    set onmessageerror(handler) {
      if (!(#end in this)) illegal();
      this.#onmessageerror = typeof handler === "function" ? handler : null;
      platform.setHandler(this, "messageerror", this.#onmessageerror);
    }
    postMessage(message, options = undefined) {
      if (!(#end in this)) illegal();
      const data = platform.clone(message, platform.transferList(options));
      this.#end.peer?.receive(data);
    }
    start() {
      if (!(#end in this)) illegal();
      this.#end.start();
    }
    close() {
      if (!(#end in this)) illegal();
      this.#end.close();
    }
  }

  class MessageChannel {
    #ports;
    constructor() {
      const ends = [new End(), new End()];
      ends[0].peer = ends[1];
      ends[1].peer = ends[0];
      this.#ports = ends.map((end) => new MessagePort(KEY, end));
    }
    get port1() {
      return #ports in this ? this.#ports[0] : illegal();
    }
    get port2() {
      return #ports in this ? this.#ports[1] : illegal();
    }
  }

  platform.interface(MessagePort);
  platform.interface(MessageChannel);
  platform.isPort = isPort;
  platform.newPort = () => new MessagePort(KEY, new End());
  platform.movePort = movePort;
});
