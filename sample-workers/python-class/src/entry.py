"""A tea shop: routes, vars, JSON in and out, with the class-based entry point."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

from workers import Response, WorkerEntrypoint

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}


def answer(data, status=200):
    return Response(json.dumps(data, ensure_ascii=False), status=status, headers=JSON_HEADERS)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        route = request.method.value, unquote(url.path)
        if route == ("GET", "/"):
            return Response(f"歡迎光臨{self.env.SHOP}!")
        if route == ("GET", "/prices"):
            return answer({"currency": self.env.CURRENCY, "prices": self.prices()})
        if route == ("GET", "/greet"):
            name = parse_qs(url.query).get("name", ["客人"])[0]
            return answer({"greeting": f"你好,{name}!", "letters": len(name)})
        if route == ("POST", "/orders"):
            return await self.order(request)
        return answer({"error": f"沒有這個路徑:{route[1]}"}, status=404)

    def prices(self):
        # A table in [vars] is a JavaScript object on env; to_py() makes it a dict.
        return self.env.PRICES.to_py()

    async def order(self, request):
        try:
            lines = (await request.json())["items"]
            prices = self.prices()
            total = sum(prices[line["name"]] * line["count"] for line in lines)
        except json.JSONDecodeError as error:
            return answer({"error": f"not JSON: {error}"}, status=400)
        except (KeyError, TypeError) as error:
            return answer({"error": f"not an order: {error!r}"}, status=422)
        return answer({"total": total, "currency": self.env.CURRENCY, "lines": len(lines)}, status=201)
