"""RELIABILITY A2: Weir sees the requests that nginx and HAProxy see, byte for byte, and never one more.

Every hostile request goes through each proxy, on a connection that the proxy uses again, into a Weir of its own. What
the proxy says it passed on is compared with what Weir says it got. An honest request follows each: whatever a reader
left behind would spoil it. Without a proxy Weir alone gets the same bytes and answers as the table says.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import Gateway, config, provider, wait_for
from hostile_requests import honest, numbered
from scripted import GOOD, JSON_HEAD, Scripted

WHERE = os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin'
NGINX, HAPROXY = shutil.which('nginx', path=WHERE), shutil.which('haproxy', path=WHERE)


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as sock:
        return sock.getsockname()[1]


class Proxy:
    """One running proxy; `passed(name)` says what went on from its door of that name."""

    def __init__(self, command, folder, ports):
        self.folder, self.ports = folder, ports
        self.output = open(folder / 'output', 'w')
        self.process = subprocess.Popen(command, stdout=self.output, stderr=subprocess.STDOUT, cwd=folder)

        def accepts(port):
            if self.process.poll() is not None:
                raise AssertionError((self.folder / 'output').read_text())
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(('127.0.0.1', port)).close()
                return True
        for port in ports.values():
            wait_for(lambda: accepts(port), 'the proxy')

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Proxy):
    """The strict door reads a body whole and logs it; the lenient one lets odd fields pass and streams."""

    def __init__(self, upstreams):
        folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-nginx-'))
        ports = {door: free_port() for door in ('strict', 'lenient')}
        temporary = ' '.join(f'{kind}_temp_path {folder}/{kind};' for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        how = {'strict': '', 'lenient': 'ignore_invalid_headers off; underscores_in_headers on; proxy_request_buffering off;'}
        doors = ''.join(f'''
            upstream {door} {{ server 127.0.0.1:{upstreams[door]}; keepalive 1; }}
            server {{
                listen 127.0.0.1:{ports[door]}; access_log {folder}/{door} seen; {how[door]}
                location / {{ proxy_pass http://{door}; }}
            }}''' for door in ports)
        # A worker of root's nginx would become somebody who cannot write into our folder.
        user = 'user root;' if os.geteuid() == 0 else ''
        (folder / 'nginx.conf').write_text(f'''
            daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
            events {{ worker_connections 512; }}
            http {{
                log_format seen escape=json '{{"id":"$http_x_request_id","method":"$request_method","target":"$request_uri",'
                                            '"status":"$status","upstream":"$upstream_addr","body":"$request_body"}}';
                {temporary} client_body_buffer_size 1m; client_header_timeout 500ms; client_body_timeout 500ms;
                proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
                proxy_next_upstream off; proxy_ignore_client_abort on; {doors}
            }}''')
        super().__init__([NGINX, '-p', folder, '-c', folder / 'nginx.conf', '-e', folder / 'error.log'], folder, ports)

    def passed(self, door):
        lines = [json.loads(line) for line in (self.folder / door).read_text('latin-1').splitlines()]
        return [(e['id'], e['method'], e['target'], e['body'].encode('latin-1') if door == 'strict' else None)
                for e in lines if e['upstream']]


class Haproxy(Proxy):
    """As above; the lenient door accepts what HAProxy itself calls invalid."""

    def __init__(self, upstreams):
        folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-haproxy-'))
        ports = {door: free_port() for door in ('strict', 'lenient')}
        how = {'strict': 'option http-buffer-request', 'lenient': 'option accept-invalid-http-request'}
        doors = ''.join(f'''
frontend {door}
    bind 127.0.0.1:{ports[door]}
    {how[door]}
    http-request set-var(txn.id) req.hdr(x-request-id)
    http-request set-var(txn.target) url
    http-request set-var(txn.body) req.body,hex
    log-format "seen {door} %s %HM %[var(txn.id),hex] %[var(txn.target),hex] %[var(txn.body)]"
    default_backend {door}
backend {door}
    server weir 127.0.0.1:{upstreams[door]}
''' for door in ports)
        (folder / 'haproxy.cfg').write_text(f'''
global
    nbthread 1
    maxconn 200
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 5s
    timeout server 30s
    timeout client 500ms
    timeout http-request 500ms
    retries 0
    http-reuse always
{doors}''')
        super().__init__([HAPROXY, '-f', folder / 'haproxy.cfg'], folder, ports)

    def passed(self, door):
        entries = []
        for line in (self.folder / 'output').read_text('latin-1').splitlines():
            words = line.split(' ')
            if words[:2] == ['seen', door] and words[2] != '<NOSRV>':
                identity, target, body = (b'' if word == '-' else bytes.fromhex(word) for word in words[4:7])
                entries.append((identity.decode('latin-1'), words[3], target.decode('latin-1'), body if door == 'strict' else None))
        return entries


class Weir:
    """A gateway on one thread, so that its log is in order, and a provider that remembers every body."""

    def __init__(self):
        self.provider = Scripted()
        self.provider.script = JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD)
        # A guess throttle would answer for the framing.
        self.gateway = Gateway(config([provider(self.provider.port)], server={'threads': 1}, limits={'guesses': '100000/min'},
                                      models=[{'name': 'm', 'targets': [{'provider': 'sim', 'model': 'm'}]}])).wait_ready()

    def log(self):
        lines = self.gateway.stderr().split('\n')[:-1]
        return [entry for entry in map(json.loads, lines) if 'request_id' in entry and 'status' in entry]

    def close(self):
        self.gateway.close()
        self.provider.close()


def exchange(port, payload):
    """Everything that comes back until the other side closes."""
    with socket.create_connection(('127.0.0.1', port)) as sock, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        received = b''
        sock.sendall(payload)
        while data := sock.recv(65536):
            received += data
    return received


def answers(received):
    """(status, the id its request had) of each answer; interim ones are none."""
    found = []
    for answer in re.split(rb'(?=HTTP/1\.1 \d{3} )', received)[1:]:
        status = int(answer[9:12])
        identity = re.search(rb'\r\nx-client-request-id: ([^\r]*)', answer.split(b'\r\n\r\n')[0])
        if status >= 200:
            found.append((status, identity.group(1).decode() if identity else None, answer))
    return found


class Alone(unittest.TestCase):
    def test_every_case_is_answered_as_the_table_says(self):
        weir = Weir()
        self.addCleanup(weir.close)
        got = {}

        def play(number, payload):
            got[number] = exchange(weir.gateway.port, payload + honest(f'{number}-n', 'Connection: close'))
        # At once: a body that never comes has twenty seconds.
        threads = [threading.Thread(target=play, args=(number, payload)) for number, _, _, payload in numbered()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count = 0
        for number, name, alone, _ in numbered():
            with self.subTest(name, number=number):
                given = answers(got[number])
                count += len(given)
                told = ''
                for status, identity, answer in given:
                    malformed = b'"code":"invalid_framing"' in answer or b'"code":"payload_too_large"' in answer
                    letter = identity.removeprefix(f'{number}-') if identity else 'x'
                    told += letter.upper() if malformed and identity else letter
                    if malformed:
                        self.assertIn(b'connection: close', answer)
                self.assertEqual(told, alone, got[number])
                if 'n' in alone:
                    self.assertEqual(given[-1][0], 200)
        wait_for(lambda: len(weir.log()) >= count, 'the access log')
        self.assertEqual(len(weir.log()), count)
        # What reached the provider is what was sent, and nothing that was refused.
        sent = {number: payload for number, _, alone, payload in numbered() if 'f' in alone}
        for _, body in weir.provider.requests:
            number = json.loads(body)['messages'][0]['content']
            self.assertTrue(number == 'odd' or body in sent[number], body)


class BehindProxy:
    """One door of one proxy."""

    def __init__(self, proxy, door, weir):
        self.proxy, self.door, self.weir = proxy, door, weir

    def state(self):
        return len(self.proxy.passed(self.door)), len(self.weir.log()), len(self.weir.provider.requests)

    def play(self, number, alone, payload):
        before = self.state()
        exchange(self.proxy.ports[self.door], payload + honest(f'{number}-n', 'Connection: close'))
        # The victim: its answer must be its own, and when it is in both logs, so is everything before it.
        victim = f'{number}-v'
        given = answers(exchange(self.proxy.ports[self.door], honest(victim, 'Connection: close')))
        assert [(status, identity) for status, identity, _ in given] == [(200, victim)], f'the next client got {given}'
        wait_for(lambda: [e for e in self.proxy.passed(self.door)[before[0]:] if e[0] == victim], 'the log of the proxy')
        wait_for(lambda: [e for e in self.weir.log()[before[1]:] if e.get('client_request_id') == victim], 'the access log')
        passed = self.proxy.passed(self.door)[before[0]:]
        got = self.weir.log()[before[1]:]
        self.compare(passed, got, [body for _, body in self.weir.provider.requests[before[2]:]])
        # Where Weir alone takes everything and so does the proxy, both take it for the same requests.
        told = ''.join(e.get('client_request_id', '').removeprefix(f'{number}-') for e in got[:-1])
        assert 'n' not in alone or told in ('', alone), f'with the proxy {told}, without it {alone}'

    def compare(self, passed, got, bodies):
        assert len(passed) == len(got), f'passed on {passed}, but Weir saw {got}'
        served = []
        for (identity, method, target, body), entry in zip(passed, got):
            if entry['code'] == 'invalid_framing' and 'method' not in entry:
                continue  # refused before Weir looked at what it was
            seen = entry.get('client_request_id', ''), entry['method'], entry['path']
            assert seen == (identity, method, target.split('?')[0]), f'passed on {passed}, but Weir saw {got}'
            if entry.get('model') == 'm' and entry['status'] == 200:
                served.append(body)
        if self.door == 'strict':
            assert served == bodies, f'passed on {served}, but Weir took {bodies} to the provider'


def behind(proxy_type):
    def test(self):
        weirs = {door: Weir() for door in ('strict', 'lenient')}
        for weir in weirs.values():
            self.addCleanup(weir.close)
        proxy = proxy_type({door: weir.gateway.port for door, weir in weirs.items()})
        self.addCleanup(proxy.close)
        failed = []

        def play_all(door):
            one = BehindProxy(proxy, door, weirs[door])
            for number, name, alone, payload in numbered():
                try:
                    one.play(number, alone, payload)
                except AssertionError as error:
                    failed.append(f'{door}, {number} {name}: {error}')
        threads = [threading.Thread(target=play_all, args=(door,)) for door in weirs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            self.fail('\n'.join(failed))
        for door, weir in weirs.items():
            # Nothing came later either, and the table was not lost on the way: some of it passes every proxy.
            self.assertEqual(len(weir.log()), len(proxy.passed(door)))
            self.assertGreater(len(proxy.passed(door)), 1.5 * len(numbered()))
    return test


class Behind(unittest.TestCase):
    test_nginx = unittest.skipUnless(NGINX, 'there is no nginx here')(behind(Nginx))
    test_haproxy = unittest.skipUnless(HAPROXY, 'there is no haproxy here')(behind(Haproxy))


if __name__ == '__main__':
    program = unittest.main(exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if program.result.skipped else 0)
