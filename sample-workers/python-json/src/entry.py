from js import Response, Headers
import json

async def on_fetch(request, env):
    data = {
        "message": "Hello from Python!",
        "method": request.method,
        "url": request.url,
    }
    headers = Headers.new({"Content-Type": "application/json"}.items())
    return Response.new(json.dumps(data), headers=headers)
