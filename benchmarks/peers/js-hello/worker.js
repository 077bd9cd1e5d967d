export default {
  async fetch(request, env) {
    return new Response("Hello from Python on Cloudflare Workers!");
  },
};
