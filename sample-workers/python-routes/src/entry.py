from js import Response
from urllib.parse import urlparse

async def on_fetch(request, env):
    path = urlparse(request.url).path
    if path == "/":
        return Response.new("首頁")
    elif path == "/hello":
        return Response.new("Hello!")
    else:
        return Response.new("404 Not Found", status=404)
