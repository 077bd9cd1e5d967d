def test_hello(load):
    w = load("from js import Response\nasync def on_fetch(r): print('你好'); return Response.new('hi')")
    r = w.fetch()
    assert (r.status, r.text, r.lines) == (200, "hi", ["你好"])
