from js import Response

async def on_fetch(request, env):
    body = f"URL: {request.url}\nMethod: {request.method}"
    return Response.new(body)
