"""Which URLs a tenant may have webhooks sent to, and which addresses are public."""

import pytest

from antiphon.errors import InvalidRequest
from antiphon.schema.public_addresses import is_public
from antiphon.schema.webhooks import check_url

PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "0.0.0.0",  # noqa: S104  not listened on
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::ffff:0:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "fec0::1",
    "3fff::1",
    "4000::1",
    "ff02::1",
    "not an address",
]


def refusal(url, *, allows_loopback=False):
    with pytest.raises(InvalidRequest) as caught:
        check_url(url, allows_loopback=allows_loopback)
    assert caught.value.param == "url"
    return str(caught.value)


def test_only_addresses_of_the_internet_are_public():
    assert [address for address in [*PUBLIC, *PRIVATE] if is_public(address)] == PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com:8443/hooks/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/hooks",
        "https://app.example.com./hooks?next=/a/../b",
    ],
)
def test_https_addresses_of_the_internet_are_accepted(url):
    check_url(url, allows_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://10.0.0.1/hooks",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_private_addresses_are_refused(url):
    assert "on the internet" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "ftp://app.example.com/",
        "https://user:pass@app.example.com/",
        "https://app.example.com/#part",
        "https://app.example.com/a b",
        "https://app..example.com/",
        f"https://{'a' * 64}.example.com/",
        f"https://{'a.' * 127}com/",
        "https://app.example.com:0/",
        "https://app.example.com:99999/",
        "https://bücher.example/",
        "https://app.example.com\\@10.0.0.1/",
    ],
)
def test_what_is_no_plain_address_is_refused(url):
    assert "expected an address" in refusal(url)


@pytest.mark.parametrize("path", ["/..", "/./a", "/a/../b", "/a/.."])
def test_a_path_that_no_request_may_have_is_refused(path):
    assert "'..'" in refusal(f"https://app.example.com{path}")


def test_plain_http_is_for_loopback_on_a_developers_machine_only():
    assert "https://" in refusal("http://app.example.com/", allows_loopback=True)
    assert "https://" in refusal("http://127.0.0.1:8000/")
    check_url("http://127.0.0.1:8000/", allows_loopback=True)
    check_url("http://localhost:8000/hooks", allows_loopback=True)
