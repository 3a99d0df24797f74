"""One shift of a whole center, scripted: ``python -m tests.shift [--minutes 5] [--agents 50] [--people 2000]``.

People text, agents answer at screens that are kept as browsers keep them, sockets drop, and twice the product is killed
beneath them. Prints what was seen; ends with 1 when a promise was broken. ``oracle`` has the promises.
"""

import argparse
import asyncio
import random
import sys
import time
from typing import Any
from uuid import uuid4

import aiohttp

from bench import stage
from conversations.states import FINAL
from tests.faults.oracle import on_their_way
from tests.product import Product, eventually
from tests.shift import oracle
from tests.shift.agents import Colleague, differences
from tests.shift.people import People, Shift

TEAMS = {"Bills": "bill", "Refills": "refill", "Appointments": "appointment"}
ENV = {"WEB_PROCESSES": "2", "VONAGE_TIMEOUT_SECONDS": "2"}
# Whatever is worked on by us, and not the carrier or the database, whose rows are what is judged.
OURS = ("contactcenter.web", "qcluster", "manage.py clock", "valkey-server")
DRAINED_WITHIN, SETTLED_WITHIN, SAME_WITHIN = 240, 60, 40
FIRST = "12015550199"
# Most work through what they were given; some look at all who wait, some at everything.
VIEWS = ("?view=mine",) * 7 + ("", "", "?view=all")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shift", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with stage.product(**ENV) as cc:
        cc.sandbox("settings", rate=0)
        cc.rows("UPDATE conversations_line SET per_second = 100 RETURNING id")
        played = Played(cc, options)
        asyncio.run(played.play())
        broken = [*played.broken, *oracle.violations(cc, played.shift), *audit()]
        report(cc, played)
    for line in broken[:20]:
        print(f"BROKEN: {line}")
    print("nothing was broken, audit clean" if not broken else f"{len(broken)} promises were broken")
    return 1 if broken else 0


class Played:
    """One shift. ``broken``: what is wrong with the screens."""

    def __init__(self, cc: Product, options: argparse.Namespace) -> None:
        self.cc, self.seconds = cc, options.minutes * 60
        self.dice = random.Random(options.seed)
        self.shift, self.broken = Shift(), list[str]()
        self.people = People(self.shift, cc.sandbox_url, self.dice, options.people)
        self.sessions = staff(options.agents)
        self.is_over = False
        self.restarts: list[str] = []

    async def play(self) -> None:
        first = await asyncio.to_thread(self.first_conversation)
        crew = [
            Colleague(
                user_id,
                session,
                self.cc.url,
                random.Random(self.dice.random()),
                self.shift,
                view=VIEWS[place % len(VIEWS)],
                answered=lambda person: self.people.answered[person].set() if person in self.people.answered else None,
            )
            for place, (user_id, session) in enumerate(self.sessions)
        ]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
            watching = asyncio.create_task(self.people.watch(http))
            working = [asyncio.create_task(one.work(first, lambda: self.is_over)) for one in crew]
            breaking = asyncio.create_task(self.break_it())
            await self.people.live(http, self.seconds)
            await breaking
            await self.drain()
            self.is_over = True
            await asyncio.gather(*working)
            await asyncio.to_thread(eventually, self.has_settled, SETTLED_WITHIN, "everything is settled")
            watching.cancel()
            await self.people.look(http)
        await self.compare(crew)
        for one in crew:
            if one.screen:
                await one.screen.close()

    def first_conversation(self) -> int:
        """Something to look at until the first people write."""
        uuid = str(uuid4())
        self.shift.said(FIRST, "Hello", uuid)
        self.cc.text("Hello", sender=FIRST, message_uuid=uuid)
        return self.cc.conversation(FIRST)

    async def break_it(self) -> None:
        """The pages' servers are killed; and later all that is ours."""
        await asyncio.sleep(self.seconds / 3)
        killed = await asyncio.to_thread(self.cc.kill_all, "contactcenter.web")
        self.restarts.append(f"{len(killed)} web processes")
        await asyncio.sleep(self.seconds / 3)
        for part in OURS:
            killed = await asyncio.to_thread(self.cc.kill_all, part)
            self.restarts.append(f"{len(killed)} of {part}")

    async def drain(self) -> None:
        """Until nobody waits who is awake, or for so long."""
        until = time.monotonic() + DRAINED_WITHIN
        while time.monotonic() < until and await asyncio.to_thread(self.waiting):
            await asyncio.sleep(0.5)

    def waiting(self) -> int:
        query = "SELECT count(*) FROM conversations_conversation WHERE due_at IS NOT NULL AND snoozed_until IS NULL"
        return int(self.cc.rows(query)[0][0])

    def has_settled(self) -> bool:
        stored = self.cc.rows("SELECT count(*) FROM conversations_carrierevent WHERE state = 'stored'")[0][0]
        query = "SELECT count(*) FROM conversations_message WHERE direction = 'out' AND status <> ALL(%s)"
        moving = self.cc.rows(query, [str(status) for status in FINAL])[0][0]
        return not stored and not moving and not on_their_way(self.cc)

    async def compare(self, crew: list[Colleague]) -> None:
        """Each screen is what a fresh load shows; what the clock changes meanwhile gets a moment to arrive."""
        left = {one: ["it was never looked at"] for one in crew}
        until = time.monotonic() + SAME_WITHIN
        while left and time.monotonic() < until:
            await asyncio.sleep(2)
            for one in list(left):
                assert one.screen
                if one.screen.is_at_rest and not (found := await differences(one.screen)):
                    del left[one]
                elif one.screen.is_at_rest:
                    left[one] = found
        self.broken += [f"agent {one.user_id}: {line}" for one, lines in left.items() for line in lines]


def staff(many: int) -> list[tuple[int, str]]:
    """Agents in three teams that give out their work, each with a session: ids and cookies."""
    from django.test import Client

    from contactcenter.accounts.models import Role, User
    from conversations.models import Membership, Presence, RoutingRule, Team

    RoutingRule.objects.all().delete()
    Team.objects.update(is_active=False)
    teams = [Team.objects.create(name=name) for name in TEAMS]
    for team, word in zip(teams, TEAMS.values(), strict=True):
        RoutingRule.objects.create(name=word, team=team, words=word)
    sessions = []
    for number in range(many):
        user = User.objects.create(
            username=f"shift{number}", first_name=f"Agent {number}", password="!", role=Role.AGENT
        )
        Presence.objects.create(user=user, capacity=12)
        Membership.objects.create(team=teams[number % len(teams)], user=user)
        client = Client()
        client.force_login(user)
        sessions.append((user.pk, client.cookies["sessionid"].value))
    return sessions


def audit() -> list[str]:
    import io

    from django.core.management import CommandError, call_command

    said = io.StringIO()
    try:
        call_command("audit", stdout=said)
    except CommandError as error:
        return [f"audit: {error}\n{said.getvalue()[-3000:]}"]
    return []


def report(cc: Product, played: Played) -> None:
    shift = played.shift
    found: dict[str, Any] = oracle.summary(cc, shift)
    print(f"{len(shift.texts)} texts of {len(played.people.numbers)} people, {len(shift.replies)} replies by "
          f"{len(played.sessions)} agents; killed: {', '.join(played.restarts)}")  # fmt: skip
    print(", ".join(f"{what} {many}" for what, many in sorted(shift.counts.items())))
    for what, (many, average, p90) in found["figures"].items():
        print(f"waits {what}: {many} answered, average {average:.2f} s, p90 {p90:.2f} s")
    print(f"still waiting: {found['open']}")


if __name__ == "__main__":
    sys.exit(main())
