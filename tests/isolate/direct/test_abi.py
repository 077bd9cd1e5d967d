"""Which exports make a module a Worker."""

from __future__ import annotations

import pytest

from emulator.isolate.direct.abi import Export, Missing, Mistyped, Signature, abi_of

MEMORY = Export("memory")


def func(params: str = "", results: str = "") -> Export:
    return Export("func", Signature(tuple(params.split()), tuple(results.split())))


BASE = {
    "memory": MEMORY,
    "handle": func(),
    "responsePtr": func("", "i32"),
    "responseLen": func("", "i32"),
}
FOUR = func("i32 i32 i32 i32")
ALLOC = func("i32", "i32")


def test_the_smallest_worker() -> None:
    abi = abi_of(BASE)
    assert (abi.takes_request, abi.starter, "getStatus" in abi) == (False, "", False)


def test_the_guides_router() -> None:
    abi = abi_of({**BASE, "handle": FOUR, "alloc": ALLOC, "getStatus": func("", "i32"), "malloc": ALLOC})
    assert abi.takes_request and "getStatus" in abi and "malloc" not in abi


@pytest.mark.parametrize("name", sorted(BASE))
def test_what_every_worker_needs(name: str) -> None:
    with pytest.raises(Missing) as failure:
        abi_of({key: export for key, export in BASE.items() if key != name})
    assert failure.value.names == [name]


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(Missing) as failure:
        abi_of({})
    assert failure.value.names == ["memory", "handle", "responsePtr", "responseLen"]


@pytest.mark.parametrize(
    "more",
    [
        {"handle": FOUR},
        {"setBody": func("i32 i32")},
        {"setUrl": func("i32 i32")},
        {"setHeaders": func("i32 i32")},
    ],
)
def test_alloc_is_needed_for_whatever_goes_in(more: dict[str, Export]) -> None:
    with pytest.raises(Missing) as failure:
        abi_of({**BASE, **more})
    assert failure.value.names == ["alloc"]
    abi_of({**BASE, **more, "alloc": ALLOC})


@pytest.mark.parametrize("name", ["responseHeadersPtr", "responseHeadersLen"])
def test_response_headers_need_both(name: str) -> None:
    with pytest.raises(Missing) as failure:
        abi_of({**BASE, name: func("", "i32")})
    assert failure.value.names == list({"responseHeadersPtr", "responseHeadersLen"} - {name})


@pytest.mark.parametrize(
    ("name", "export", "found"),
    [
        ("memory", func(), "(func)"),
        ("memory", Export("memory", wide=True), "(memory i64)"),
        ("handle", func("i64 i32 i64 i32"), "(func (param i64 i32 i64 i32))"),
        ("handle", func("i32 i32"), "(func (param i32 i32))"),
        ("handle", Export("global"), "(global)"),
        ("handle", func("", "funcref"), "(func (result funcref))"),
        ("responsePtr", func("", "i64"), "(func (result i64))"),
        ("responseLen", func(), "(func)"),
        ("responseLen", func("i32", "i32"), "(func (param i32) (result i32))"),
        ("getStatus", func("", "i64"), "(func (result i64))"),
        ("alloc", func("i64", "i32"), "(func (param i64) (result i32))"),
        ("alloc", Export("memory"), "(memory)"),
        ("setBody", func("i32"), "(func (param i32))"),
        ("release", func("i32"), "(func (param i32))"),
        ("_initialize", func("", "i32"), "(func (result i32))"),
    ],
)
def test_mistyped(name: str, export: Export, found: str) -> None:
    with pytest.raises(Mistyped) as failure:
        abi_of({**BASE, name: export})
    assert (failure.value.name, str(failure.value.found)) == (name, found)


def test_a_result_of_handle_is_ignored_as_in_javascript() -> None:
    assert abi_of({**BASE, "handle": func("", "i32 f64")}).handle_results == ("i32", "f64")


@pytest.mark.parametrize(
    ("names", "starter"),
    [(["_initialize"], "_initialize"), (["_start"], "_start"), (["_start", "_initialize"], "_initialize")],
)
def test_what_starts_it(names: list[str], starter: str) -> None:
    assert abi_of({**BASE, **{name: func() for name in names}}).starter == starter


def test_a_start_of_another_type_is_somebody_elses() -> None:
    assert abi_of({**BASE, "_start": func("i32")}).starter == ""
