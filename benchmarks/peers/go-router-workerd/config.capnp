# workerd alone, without wrangler: the modules of sample-workers/go-router, copied beside this file.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:8080", http = (), service = "main") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "worker.wasm", wasm = embed "worker.wasm"),
  ],
  compatibilityDate = "2024-12-01",
);
