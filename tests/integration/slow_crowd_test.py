"""RELIABILITY A4: 2,000 slow clients of each kind at once. Others are served, memory is bounded, and every slow one ends
as it was promised. slow_test.py has each kind alone; the limits are seconds, so here all are waited for side by side.
"""
import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import socket
import sys
import unittest

from harness import API_KEY, MESSAGES, SANITIZED, Gateway, config, provider, resident_bytes
from scripted import CHUNK, GOOD, JSON_HEAD, SSE_HEAD

OF_EACH_KIND = 200 if SANITIZED else 2000
KINDS = 3
# RELIABILITY A4 and section 2: what is held for a slow reader, and the most any slow connection may cost.
BYTES_PER_CONNECTION = 64 << 10
DRIP_SECONDS = 2
BACKLOG = 4096
HEAD = f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'.encode()
PIECE = CHUNK.replace(b'hi', b'hi ' * 1000) * 20


def chat(**fields):
    body = json.dumps({'model': 'm', 'messages': MESSAGES, **fields}).encode()
    return HEAD + b'Content-Length: %d\r\n\r\n' % len(body) + body


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


async def answer(reader, writer):
    """A whole answer, or a stream without end."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b'\r\n\r\n')
            length = next(int(line[15:]) for line in head.lower().split(b'\r\n') if line.startswith(b'content-length:'))
            if b'"stream": true' not in await reader.readexactly(length):
                writer.write(JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD))
                continue
            writer.write(SSE_HEAD + b'\r\n')
            while True:
                writer.write(PIECE)
                await writer.drain()
    writer.close()


def be_provider(listener):
    """A process of its own: what it costs must not slow the clients."""
    async def serve():
        await (await asyncio.start_server(answer, sock=listener, backlog=BACKLOG)).serve_forever()
    asyncio.run(serve())


class Crowd:
    """The slow clients of one gateway."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.loop = asyncio.get_running_loop()
        self.received = {'head': [], 'body': []}  # by each that has ended
        self.dripping = {}  # socket: what it sends now and then
        self.stalled = []
        # The listener's queue is finite, and so is what a test should ask of it at once.
        self.door = asyncio.Semaphore(100)

    async def connect(self, first, receive_buffer=None):
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        async with self.door:
            await self.loop.sock_connect(sock, (self.gateway.host, self.gateway.port))
            await self.loop.sock_sendall(sock, first)
        return sock

    async def drip(self, kind, first, drop):
        sock = await self.connect(first)
        parts = []

        def readable():
            data = b''
            with contextlib.suppress(ConnectionResetError):
                data = sock.recv(65536)
            parts.append(data)
            if not data:
                self.loop.remove_reader(sock)
                self.dripping.pop(sock)
                self.received[kind].append(b''.join(parts))
                sock.close()
        self.dripping[sock] = drop
        self.loop.add_reader(sock, readable)

    async def drip_on(self):
        while True:
            await asyncio.sleep(DRIP_SECONDS)
            for sock, drop in list(self.dripping.items()):
                with contextlib.suppress(OSError):
                    sock.send(drop)

    async def stall(self):
        """Asks for a stream and reads nothing of it."""
        self.stalled.append(await self.connect(chat(stream=True), receive_buffer=4096))

    async def ask(self):
        """One of the others: the status it gets."""
        reader, writer = await asyncio.open_connection(self.gateway.host, self.gateway.port)
        with contextlib.closing(writer):
            writer.write(chat().replace(b'Host: x', b'Host: x\r\nConnection: close'))
            answer = await reader.read()
        return answer[9:12]

    async def rest_of(self, sock):
        """What had been sent to a reader before it was dropped."""
        received = b''
        with sock, contextlib.suppress(ConnectionResetError):
            while data := await self.loop.sock_recv(sock, 1 << 20):
                received += data
        return received


class SlowCrowd(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        listener = socket.create_server(('127.0.0.1', 0), backlog=BACKLOG)
        # What the kernel holds of the streams is not what is measured.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 10)
        self.provider = multiprocessing.Process(target=be_provider, args=(listener,), daemon=True)
        self.provider.start()
        self.addCleanup(self.provider.join)
        self.addCleanup(self.provider.terminate)
        self.gateway = Gateway(config([provider(listener.getsockname()[1], connections_max=2 * OF_EACH_KIND)],
                                      models=[{'name': 'm', 'targets': [{'provider': 'sim', 'model': 'm'}],
                                               # Python accepts as fast as it can.
                                               'timeouts': {'connect': '30s', 'first_token': '60s', 'idle': '60s'}}],
                                      log={'access': 'off'}))
        listener.close()
        self.addCleanup(self.gateway.close)
        await asyncio.to_thread(self.gateway.wait_ready)

    async def metric(self, name):
        return (await asyncio.to_thread(self.gateway.metrics)).get(name, 0)

    async def outcomes(self, calls):
        """How the calls to the model ended, once all are counted."""
        while True:
            metrics = await asyncio.to_thread(self.gateway.metrics)
            ended = {name.split('code="')[1].rstrip('"}'): count for name, count in metrics.items()
                     if name.startswith('weir_requests_total{surface="chat",model="m"') and count}
            if sum(ended.values()) >= calls:
                return ended
            await asyncio.sleep(0.05)

    async def test_every_kind_at_once(self):
        crowd = Crowd(self.gateway)
        pid = self.gateway.pid
        self.assertEqual({await crowd.ask() for _ in range(100)}, {b'200'})
        memory, open_before = resident_bytes(pid), descriptors(pid)
        # Who has the most time comes first, so that all are there together.
        coming = asyncio.gather(
            *[crowd.stall() for _ in range(OF_EACH_KIND)],
            *[crowd.drip('body', HEAD + b'Content-Length: 1000000\r\n\r\n', b' ') for _ in range(OF_EACH_KIND)],
            *[crowd.drip('head', HEAD, b'X-A: b\r\n') for _ in range(OF_EACH_KIND)])
        dripping = asyncio.create_task(crowd.drip_on())
        self.addCleanup(dripping.cancel)

        served = []
        most_memory = most_open = 0
        in_flight = 'weir_inflight{model="m",provider="sim"}'
        # Until the last slow one is gone, others are served one after the other.
        while not coming.done() or crowd.dripping or await self.metric(in_flight):
            served.append(await crowd.ask())
            most_memory = max(most_memory, resident_bytes(pid))
            most_open = max(most_open, descriptors(pid))
            await asyncio.sleep(0.02)
        await coming
        # They were there together: each connection, and the one to the provider of each that reads. (The first of
        # those was there before.)
        self.assertGreaterEqual(most_open - open_before, (KINDS + 1) * OF_EACH_KIND - 16)
        self.assertEqual(set(served), {b'200'})
        self.assertGreater(len(served), 100)

        for kind, all_received in crowd.received.items():
            told = {(received.split(b'\r\n')[0], received.count(b'"code":"request_timeout"')) for received in all_received}
            self.assertEqual((len(all_received), told), (OF_EACH_KIND, {(b'HTTP/1.1 408 Request Timeout', 1)}), kind)
        self.assertEqual(len(crowd.stalled), OF_EACH_KIND)
        self.assertEqual(await self.outcomes(100 + len(served) + OF_EACH_KIND),
                         {'ok': 100 + len(served), 'cancelled': OF_EACH_KIND})
        for sock in crowd.stalled:
            received = await crowd.rest_of(sock)
            self.assertTrue(received.startswith(b'HTTP/1.1 200 OK'))
            # Cut, and seen to be: neither an end of the stream nor one of the body.
            self.assertNotIn(b'[DONE]', received)
            self.assertFalse(received.endswith(b'\r\n0\r\n\r\n'))

        each = (most_memory - memory) // (KINDS * OF_EACH_KIND)
        print(f'{KINDS * OF_EACH_KIND} slow connections of {each} bytes, {len(served)} calls of others', file=sys.stderr)
        if not SANITIZED:
            self.assertLessEqual(each, BYTES_PER_CONNECTION)
        # Nothing stays, but a few connections kept for the next call.
        while descriptors(pid) > open_before + 16:
            await asyncio.sleep(0.05)
        self.assertEqual(await crowd.ask(), b'200')


if __name__ == '__main__':
    # Each process here holds at most its end of all connections, with the provider's side of the streams.
    wanted = (KINDS + 1) * OF_EACH_KIND + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f'{wanted} descriptors are needed, the limit is {hard}')
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), hard))
    unittest.main()
