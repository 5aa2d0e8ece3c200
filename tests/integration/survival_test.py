"""What callers see, and providers get, while providers fail: a load, a fault, a count.

ctest runs each scene small. WEIR_SURVIVAL=full (script/survival) runs it as long as a figure needs and prints what was
measured; times are printed and never asserted.
"""
import asyncio
import collections
import contextlib
import json
import os
import signal
import statistics
import time
import unittest

from harness import API_KEY, MESSAGES, Gateway, Process, config, provider, simulator, stats, wait_for

FULL = os.environ.get('WEIR_SURVIVAL') == 'full'
MINUTES_WITHOUT_FLAPPING = 10

Call = collections.namedtuple('Call', 'status code seconds')


def report(what, **figures):
    if FULL:
        print(f'{what}: ' + ', '.join(f'{name.replace("_", " ")} {value}' for name, value in figures.items()), flush=True)


def milliseconds(seconds):
    return f'{seconds * 1e3:.1f} ms'


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Load:
    """Callers on keep-alive connections of one process, as many at once as a scene asks for."""

    def __init__(self, gateway, headers=(), **fields):
        self.gateway = gateway
        body = json.dumps({'model': 'm', 'messages': MESSAGES, **fields})
        more = ''.join(f'{name}: {value}\r\n' for name, value in dict(headers).items())
        self.request = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                        f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}').encode()
        self.idle = []
        self.calls = []

    async def call(self):
        began = time.monotonic()
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.gateway.host, self.gateway.port)
        try:
            writer.write(self.request)
            head = await reader.readuntil(b'\r\n\r\n')
            fields = dict(line.lower().split(b': ', 1) for line in head[:-4].split(b'\r\n')[1:])
            body = b''
            if b'content-length' in fields:
                body = await reader.readexactly(int(fields[b'content-length']))
            else:
                while (size := int(await reader.readline(), 16)) > 0:
                    body += await reader.readexactly(size)
                    await reader.readexactly(2)
                await reader.readexactly(2)
            code = None if head[9:12] == b'200' else json.loads(body)['error']['code']
            self.calls.append(Call(int(head[9:12]), code, time.monotonic() - began))
            if fields.get(b'connection') == b'close':
                writer.close()
            else:
                self.idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            self.calls.append(Call(0, 'connection', time.monotonic() - began))

    async def close(self):
        for _, writer in self.idle:
            writer.close()
        self.idle.clear()

    def closed(self, callers, until):
        """Each of `callers` asks again when it was answered, until `until(self)` is true."""
        async def caller():
            while not until(self):
                await self.call()

        async def run():
            await asyncio.gather(*(caller() for _ in range(callers)))
            await self.close()
        asyncio.run(run())
        return self

    def open(self, rate, seconds):
        """`rate` calls a second begin, however many are still in progress."""
        async def run():
            began = time.monotonic()
            running = []
            for n in range(int(rate * seconds)):
                await asyncio.sleep(max(0, began + n / rate - time.monotonic()))
                running.append(asyncio.create_task(self.call()))
            await asyncio.gather(*running)
            await self.close()
        asyncio.run(run())
        return self

    def seen(self, *statuses):
        return [call for call in self.calls if call.status in statuses]


def after(count):
    return lambda load: len(load.calls) >= count


def model(*names, **more):
    return [{'name': 'm', 'targets': [{'provider': name, 'model': 'x'} for name in names], 'retry': {'attempts': 3}, **more}]


class Scene(unittest.TestCase):
    def simulator(self, *arguments):
        running = simulator(*arguments)
        self.addCleanup(running.close)
        return running

    def gateway(self, providers, models, **sections):
        running = Gateway(config(providers, models=models, log={'access': False}, **sections))
        self.addCleanup(running.close)
        return running.wait_ready()


class Amplification(Scene):
    def test_a_provider_that_answers_only_503(self):
        calls = 20000 if FULL else 1000
        broken = self.simulator('--fail', '503=1')
        gateway = self.gateway([provider(broken.port, 'p')], model('p', retry={'attempts': 3, 'backoff_min': '1ms', 'backoff_max': '2ms'}))
        began = time.monotonic()
        load = Load(gateway).closed(32, after(calls))
        floor = 3 * (time.monotonic() - began + 1)
        sent = stats(broken)['calls']
        report('100 % 503', calls=len(load.calls), amplification=f'{sent / len(load.calls):.3f}',
               of_it_the_floor=f'{floor / len(load.calls):.3f}')
        self.assertEqual({call.status for call in load.calls}, {502})
        self.assertLessEqual(sent, len(load.calls) * 1.2 + floor)

    def test_one_call_in_ten_fails(self):
        calls = 20000 if FULL else 1000
        first, second = self.simulator('--fail', '503=0.1', '--seed', '1'), self.simulator('--fail', '503=0.1', '--seed', '2')
        gateway = self.gateway([provider(first.port, 'p'), provider(second.port, 'q')],
                               model('p', 'q', retry={'attempts': 3, 'backoff_min': '1ms', 'backoff_max': '2ms'}))
        load = Load(gateway).closed(32, after(calls))
        failed = len(load.calls) - len(load.seen(200))
        sent = stats(first)['calls'] + stats(second)['calls']
        report('10 % 503 at two targets', calls=len(load.calls), clients_saw=f'{100 * failed / len(load.calls):.3f} % fail',
               amplification=f'{sent / len(load.calls):.3f}')
        self.assertLessEqual(failed, len(load.calls) * (0.002 if FULL else 0.01))
        self.assertLessEqual(sent, len(load.calls) * (1.13 if FULL else 1.2))

    def test_what_breaks_off_after_its_first_token_is_never_asked_again(self):
        calls = 10000 if FULL else 500
        cut = self.simulator()
        gateway = self.gateway([provider(cut.port, 'p'), provider(cut.port, 'q')], model('p', 'q'))
        load = Load(gateway, headers={'x-sim': 'cut;after=2', 'connection': 'close'}, stream=True).closed(32, after(calls))
        sent = stats(cut)['calls']
        report('streams cut after their first token', calls=len(load.calls), retries=sent - len(load.calls))
        self.assertEqual({call.status for call in load.calls}, {200})
        self.assertEqual(sent, len(load.calls))


class Death(Scene):
    def test_one_of_two_dies_and_comes_back(self):
        pause = 30 if FULL else 1
        stays, dies = self.simulator(), self.simulator()
        breaker = {'enabled': True, 'open': f'{pause}s'}
        gateway = self.gateway([provider(stays.port, 'p', breaker=breaker), provider(dies.port, 'q', breaker=breaker)], model('p', 'q'))

        def is_open():
            return gateway.metrics()['weir_breaker_state{provider="q",model="x"}'] != 0

        load = Load(gateway)
        load.closed(8, after(200))
        dies.kill(signal.SIGKILL)
        dies.wait()
        load.closed(8, lambda _: is_open())
        opened = time.monotonic()
        again = Process(['simulate', '--listen', f'127.0.0.1:{dies.port}']).wait_ready()
        self.addCleanup(again.close)
        load.closed(8, lambda _: stats(again)['calls'] > 0)
        back = time.monotonic() - opened
        load.closed(8, lambda _: not is_open())
        served = time.monotonic() - opened - back
        self.assertEqual({call.status for call in load.calls}, {200})
        report('one of two dies', calls=len(load.calls), failed=0, asked_again_after=f'{back:.1f} s of {pause} s +-20 %',
               in_full_use_after=milliseconds(served))
        if FULL:
            openings = []
            until = time.monotonic() + 60 * MINUTES_WITHOUT_FLAPPING
            while time.monotonic() < until:
                load.open(100, 1)
                openings.append(is_open())
            report('after its return', minutes=MINUTES_WITHOUT_FLAPPING, openings=sum(openings), calls=len(load.calls))
            self.assertEqual(sum(openings), 0)
            self.assertEqual({call.status for call in load.calls}, {200})


class Overload(Scene):
    SLOTS, SECONDS_OF_A_CALL = 50, 0.1
    CAPACITY = SLOTS / SECONDS_OF_A_CALL

    def scene(self, seconds, stream=False, learning=0, **admission):
        crowded = self.simulator('--slots', str(self.SLOTS), '--queue', '100', '--ttft', f'{self.SECONDS_OF_A_CALL * 1e3:.0f}ms')
        free = self.gateway([provider(crowded.port, 'p')], model('p'))
        unloaded = Load(free, stream=stream).open(self.CAPACITY / 10, seconds).seen(200)
        began = time.monotonic()
        peak = Load(free, stream=stream).closed(self.SLOTS, lambda load: time.monotonic() - began > seconds)
        peak_rate = len(peak.seen(200)) / (time.monotonic() - began)
        gateway = self.gateway([provider(crowded.port, 'p', admission=admission)], model('p'))
        Load(gateway, stream=stream).open(2 * self.CAPACITY, learning)
        before = stats(crowded)['calls']
        began = time.monotonic()
        load = Load(gateway, stream=stream).open(2 * self.CAPACITY, seconds)
        rate = len(load.seen(200)) / (time.monotonic() - began)
        refused = load.seen(429, 503)
        self.assertEqual(len(load.seen(200)) + len(refused), len(load.calls), collections.Counter((c.status, c.code) for c in load.calls))
        self.assertTrue({call.code for call in refused} <= {'queue_full', 'overloaded'}, {call.code for call in refused})
        self.assertEqual({call.code for call in refused if call.status == 429} - {'queue_full'}, set())
        self.assertEqual(stats(crowded)['calls'] - before, len(load.seen(200)))
        p99 = percentile([call.seconds for call in unloaded], 0.99)
        accepted = percentile([call.seconds for call in load.seen(200)], 0.99)
        at_once = [call.seconds for call in refused if call.code == 'queue_full']
        report(f'twice the capacity, {admission}', offered=f'{len(load.calls) / seconds:.0f}/s', peak=f'{peak_rate:.0f}/s',
               served=f'{rate:.0f}/s = {100 * rate / peak_rate:.0f} % of it', p99=f'{milliseconds(accepted)} = {accepted / p99:.2f} x unloaded',
               refused=len(refused), refused_within=f'{milliseconds(statistics.median(at_once))} median, {milliseconds(percentile(at_once, 0.99))} p99')

    def test_twice_what_a_provider_takes(self):
        self.scene(10 if FULL else 1, in_flight=self.SLOTS, queue=self.SLOTS // 2, wait='1s')

    def test_and_nobody_said_how_much_that_is(self):
        self.scene(60 if FULL else 1, stream=True, learning=20 if FULL else 1, adaptive={'enabled': True}, queue=self.SLOTS // 2, wait='1s')


if __name__ == '__main__':
    unittest.main()
