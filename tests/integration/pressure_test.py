"""Too little of something: memory under a control group's limit, descriptors. Calls are refused, nothing ends."""
import contextlib
import http.client
import json
import os
import pathlib
import resource
import socket
import threading
import unittest

from harness import API_KEY, SANITIZED, Gateway, config, provider, simulator, wait_for

GROUPS = pathlib.Path('/sys/fs/cgroup')
MIB = 1 << 20


class Group:
    """A control group of its own with a memory limit, in whichever version this machine has."""

    def __init__(self, limit):
        own = dict(line.split(':', 2)[1:] for line in pathlib.Path('/proc/self/cgroup').read_text().splitlines())
        is_v1 = (GROUPS / 'memory/memory.limit_in_bytes').exists()
        above = (GROUPS / 'memory' if is_v1 else GROUPS) / own.get('memory' if is_v1 else '', '/').lstrip('/')
        self.folder = above / f'weir-test-{os.getpid()}'
        try:
            self.folder.mkdir()
            (self.folder / ('memory.limit_in_bytes' if is_v1 else 'memory.max')).write_text(str(limit))
        except OSError as error:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
            raise unittest.SkipTest(f'no control group may be made here: {error}')
        self.kills = self.folder / ('memory.oom_control' if is_v1 else 'memory.events')

    @contextlib.contextmanager
    def entered(self):
        """What is started inside belongs to the group from its first instruction on."""
        (self.folder / 'cgroup.procs').write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self.folder.parent / 'cgroup.procs').write_text(str(os.getpid()))

    def oom_kills(self):
        return int(dict(line.split() for line in self.kills.read_text().splitlines())['oom_kill'])

    def close(self):
        self.folder.rmdir()


def live(gateway):
    connection = http.client.HTTPConnection(gateway.operations_host, gateway.operations_port)
    with contextlib.closing(connection):
        connection.request('GET', '/livez')
        return connection.getresponse().status


class Memory(unittest.TestCase):
    LIMIT, CALLERS, BODY_BYTES = 512 * MIB, 200, 10 * MIB

    @unittest.skipIf(SANITIZED, 'a sanitizer needs more memory than the limit')
    def test_two_gigabytes_of_bodies_into_half_of_one(self):
        group = Group(self.LIMIT)
        self.addCleanup(group.close)
        upstream = simulator()
        self.addCleanup(upstream.close)
        with group.entered():
            gateway = Gateway(config([provider(upstream.port)]))
        self.addCleanup(gateway.close)
        gateway.wait_ready()
        body = json.dumps({'model': 'sim-small', 'max_tokens': 3,
                           'messages': [{'role': 'user', 'content': 'x' * self.BODY_BYTES}]}).encode()
        head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                f'Connection: close\r\nContent-Length: {len(body)}\r\n\r\n').encode()
        statuses = []

        def call():
            with socket.create_connection((gateway.host, gateway.port)) as connection:
                with contextlib.suppress(ConnectionError):  # an answer may come before the body has gone
                    connection.sendall(head)
                    connection.sendall(body)
                try:
                    line = connection.makefile('rb').readline()
                except ConnectionError:
                    line = b''
                statuses.append(int(line.split()[1]) if line else 0)

        crowd = [threading.Thread(target=call) for _ in range(self.CALLERS)]
        for one in crowd:
            one.start()
        while any(one.is_alive() for one in crowd):
            self.assertEqual(live(gateway), 200)
        self.assertEqual(len(statuses), self.CALLERS)
        self.assertEqual(set(statuses) - {200, 503}, set(), statuses)
        self.assertIn(503, statuses)
        self.assertEqual(group.oom_kills(), 0)
        self.assertIsNone(gateway.process.poll(), gateway.stderr())
        wait_for(lambda: gateway.chat()[0] == 200, 'calls to be taken again')


class Descriptors(unittest.TestCase):
    LIMIT = 64

    def test_no_more_descriptors_is_no_end_and_no_spin(self):
        upstream = simulator()
        self.addCleanup(upstream.close)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        gateway = Gateway(config([provider(upstream.port)]))
        self.addCleanup(gateway.close)
        gateway.wait_ready()
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (self.LIMIT, self.LIMIT))
        held = [socket.create_connection((gateway.host, gateway.port)) for _ in range(2 * self.LIMIT)]

        def cpu_ticks():
            fields = pathlib.Path(f'/proc/{gateway.pid}/stat').read_text().rpartition(')')[2].split()
            return int(fields[11]) + int(fields[12])

        def is_full():
            return len(list(pathlib.Path(f'/proc/{gateway.pid}/fd').iterdir())) >= self.LIMIT
        wait_for(is_full, 'all descriptors to be used')
        before = cpu_ticks()
        threading.Event().wait(1)  # a spin would use it up
        self.assertLess(cpu_ticks() - before, os.sysconf('SC_CLK_TCK') // 2)
        for one in held:
            one.close()
        self.assertEqual(gateway.chat()[0], 200)
        self.assertIsNone(gateway.process.poll(), gateway.stderr())


if __name__ == '__main__':
    unittest.main()
