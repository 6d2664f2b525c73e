"""A host that can't be reached has a second one; one that answers badly has not."""

import httpx
import pytest

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import NotReached, TryAgain
from audience_sync.chat_api.hosts import BACKUP_SECONDS, Choice, Hosts, Region
from tests.unit.chat_api.calls import APP_ID, Connections, says, signature

OK = {"ActionStatus": "OK", "ErrorCode": 0}
HOSTS = Hosts("https://main.test", "https://backup.test")


def on(connections: Connections, hosts: Hosts = HOSTS) -> ChatApi:
    return ChatApi(app_id=APP_ID, signature=signature(), hosts=hosts, transport=connections)


def hosts_of(connections: Connections) -> list[str]:
    return [request.url.host for request in connections.requests]


def unreachable(*names: str) -> Connections:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host in names:
            raise httpx.ConnectError("no route")
        return httpx.Response(200, json=OK)

    return Connections(answer)


@pytest.mark.parametrize("region", Region)
def test_every_region_has_two_hosts_of_different_domains(region: Region) -> None:
    """What hijacks the names of one domain leaves the other's."""
    hosts = Hosts.of(region)
    assert hosts.backup is not None
    assert hosts.main.startswith("https://")
    assert hosts.main.split(".")[-2:] != hosts.backup.split(".")[-2:]


async def test_a_host_that_cannot_be_reached_is_replaced_in_the_same_call() -> None:
    """Nothing was sent, so nothing is sent twice; and the next call does not wait for the dead one again."""
    connections = unreachable("main.test")
    async with on(connections) as chat:
        assert await chat.add_tags({"alice": ["vip"]}) == {}
        assert await chat.add_tags({"bob": ["vip"]}) == {}

    assert hosts_of(connections) == ["main.test", "backup.test", "backup.test"]


async def test_a_connection_that_breaks_later_is_not_tried_elsewhere() -> None:
    """The request may have been applied: who calls must know."""

    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    connections = Connections(answer)
    async with on(connections) as chat:
        with pytest.raises(TryAgain) as caught:
            await chat.add_tags({"alice": ["vip"]})

    assert caught.value.ambiguous
    assert hosts_of(connections) == ["main.test"]


async def test_two_hosts_that_cannot_be_reached_are_one_definite_end() -> None:
    connections = unreachable("main.test", "backup.test")
    async with on(connections) as chat:
        with pytest.raises(NotReached):
            await chat.add_tags({"alice": ["vip"]})

    assert hosts_of(connections) == ["main.test", "backup.test"]


async def test_one_address_has_no_backup() -> None:
    """Whoever names an emulator means it alone."""
    connections = unreachable("main.test")
    async with on(connections, Hosts.at("https://main.test")) as chat:
        with pytest.raises(NotReached):
            await chat.add_tags({"alice": ["vip"]})

    assert hosts_of(connections) == ["main.test"]


async def test_the_signed_query_goes_to_the_backup_too() -> None:
    connections = unreachable("main.test")
    async with on(connections) as chat:
        await chat.add_tags({"alice": ["vip"]})

    assert connections.queries[0]["usersig"] == connections.queries[1]["usersig"]


def test_the_main_host_is_looked_at_again_after_a_while() -> None:
    choice = Choice(HOSTS)
    assert choice.instead_of(HOSTS.main, now=100.0) == HOSTS.backup
    assert choice.first(now=100.0 + BACKUP_SECONDS - 0.001) == HOSTS.backup
    assert choice.first(now=100.0 + BACKUP_SECONDS) == HOSTS.main


def test_a_backup_that_cannot_be_reached_leads_back_to_the_main_host() -> None:
    choice = Choice(HOSTS)
    choice.instead_of(HOSTS.main, now=100.0)
    assert choice.instead_of("https://backup.test", now=101.0) == HOSTS.main
    assert choice.first(now=101.0) == HOSTS.main


async def test_an_answer_however_bad_is_no_reason_to_turn_elsewhere() -> None:
    connections = Connections(says({"ErrorCode": 91000}))
    async with on(connections) as chat:
        with pytest.raises(TryAgain):
            await chat.add_tags({"alice": ["vip"]})

    assert hosts_of(connections) == ["main.test"]
