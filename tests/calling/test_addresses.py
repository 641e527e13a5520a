"""Addresses at which something can be called, and those at which nothing can."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.addresses import address_fault


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/v1",
        "https://api.example.com/v1",
        "http://localhost/v1",
        "http://vllm_server:8000/v1",
        "http://host./v1",
        "http://3com.example/v1",
        "http://[::1]:8000/v1",
        "http://xn--bcher-kva.example/v1",
        "http://HOST:65535/api/@team/v1",
    ],
)
def test_an_address_that_can_be_called_has_no_fault(address: str) -> None:
    assert address_fault(urlsplit(address)) is None


HOSTS = st.text("aZ09.-_:[]% \\\u00fc\u2603", max_size=12) | st.from_regex(r"[0-9.]{1,9}", fullmatch=True)


@given(HOSTS, st.sampled_from(["", ":", ":0", ":80", ":65536", ":x", ":-1"]), st.sampled_from(["", "/v1", "/v\x7f"]))
def test_an_address_without_a_fault_is_understood_by_the_package_that_calls_it(host: str, port: str, path: str) -> None:
    import httpx
    import yarl

    address = f"http://{host}{port}{path}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    if address_fault(parts) is None:
        assert httpx.URL(address).host
        assert yarl.URL(address).host
