"""All 20,000 real texts through the signed webhook of the running product: every one is stored, none is parked."""

import asyncio
import json
import statistics
import time
from pathlib import Path

import aiohttp
import pytest

from sandbox import credentials
from tests.conversations.signing import sign
from tests.product import ROOT, Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]
CORPUS = ROOT.parent / "shared" / "corpus" / "sms_messages.jsonl"
CONNECTIONS = 64


def deliveries(path: Path, env: dict[str, str]) -> list[tuple[bytes, str]]:
    """Bodies and their signatures."""
    signed = []
    for number, line in enumerate(path.read_text().splitlines()):
        entry = json.loads(line)
        raw = json.dumps(
            {
                "channel": "sms",
                "message_type": "text",
                "message_uuid": f"corpus-{number}",
                "from": f"1202{5550000 + entry['sender']:07}",
                "to": "12015550100",
                "timestamp": "2026-01-01T00:00:00Z",
                "text": entry["text"],
            }
        ).encode()
        token = sign(
            raw=raw,
            secret=env["VONAGE_SIGNATURE_SECRET"],
            api_key=env["VONAGE_API_KEY"],
            application_id=env["VONAGE_APPLICATION_ID"],
            now=time.time(),
        )
        signed.append((raw, token))
    return signed


async def replay(cc: Product, signed: list[tuple[bytes, str]]) -> tuple[list[int], list[float]]:
    """Statuses and seconds of each delivery, over 64 connections."""
    statuses, seconds, waiting = [], [], iter(signed)

    async def carry(session: aiohttp.ClientSession) -> None:
        for raw, token in waiting:
            began = time.perf_counter()
            headers = {"Authorization": token, "Content-Type": "application/json"}
            async with session.post(f"{cc.url}/webhooks/vonage/inbound", data=raw, headers=headers) as answer:
                await answer.read()
            seconds.append(time.perf_counter() - began)
            statuses.append(answer.status)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        await asyncio.gather(*(carry(session) for _ in range(CONNECTIONS)))
    return statuses, seconds


def test_the_whole_corpus_is_stored_and_none_is_parked(cc, capsys):
    if not CORPUS.exists():
        pytest.skip("the corpus of real texts (../shared/corpus) is not here")
    signed = deliveries(CORPUS, credentials.environment(cc.var_dir, tls_port=1, http_port=1))
    began = time.perf_counter()
    statuses, seconds = asyncio.run(replay(cc, signed))
    acknowledged = time.perf_counter() - began
    assert statuses == [200] * len(signed)
    stored = "SELECT count(*) FROM conversations_message WHERE carrier_id LIKE 'corpus-%%'"
    eventually(lambda: cc.rows(stored) == [(len(signed),)], 60, "every text in its thread")
    threaded = time.perf_counter() - began
    assert cc.rows("SELECT key, error FROM conversations_carrierevent WHERE state <> 'threaded'") == []
    p99 = statistics.quantiles(seconds, n=100)[98]
    with capsys.disabled():
        print(
            f"\n{len(signed)} texts: {len(signed) / acknowledged:,.0f}/s acknowledged, p99 {p99 * 1000:.0f} ms;",
            end=" ",
        )
        print(f"{len(signed) / threaded:,.0f}/s threaded")
