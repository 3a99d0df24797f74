"""Where the product listens, and what it says of a place where it can't."""

import socket

import pytest

from contactcenter import address


@pytest.fixture
def ipv6():
    """Only a try tells: containers often have the protocol and no address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("texts.local", "http://texts.local:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_what_it_says_can_be_opened_in_a_browser(host, url):
    assert address.url(host, 8000) == url


@pytest.mark.parametrize("reached_at", ["127.0.0.1", "::1"])
def test_everywhere_is_everywhere(ipv6, reached_at):
    with address.listening("::", 0) as listener, socket.create_connection((reached_at, listener.getsockname()[1])):
        pass


@pytest.mark.parametrize(
    ("host", "port", "words", "variable"),
    [
        ("no.such.host.invalid", 0, "HOST is 'no.such.host.invalid', where nobody can listen here", "HOST="),
        ("192.0.2.1", 0, "HOST is '192.0.2.1'", "HOST="),  # an address for examples: no machine has it
        ("no..host", 0, "HOST is 'no..host'", "HOST="),
        ("::nonsense", 0, "HOST is '::nonsense'", "HOST="),
        ("127.0.0.1", 70000, "There is no port 70000.", "PORT="),
    ],
)
def test_where_nobody_can_listen_the_remedy_names_the_variable_at_fault(host, port, words, variable):
    with pytest.raises(address.AddressError) as refused:
        address.listening(host, port)
    assert words in refused.value.what
    assert variable in refused.value.remedy


def test_a_port_for_the_privileged_is_told_as_that(monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(address.AddressError, match=r"Port 80 of 127.0.0.1 is not for this user\. .*PORT="):
        address.listening("127.0.0.1", 80)


def test_a_taken_port_is_told_as_that():
    with address.listening("127.0.0.1", 0) as other, pytest.raises(address.TakenError, match="another program"):
        address.listening(*other.getsockname())
