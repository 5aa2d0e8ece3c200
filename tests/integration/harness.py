"""Starts the real binary on free ports in temporary folders, and stops it by process id.

A test module is a plain unittest module that ctest runs with WEIR_BINARY set. Nothing here waits for a
fixed time: what must happen is waited for, and ctest's own timeout ends what hangs.
"""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

WEIR = os.path.abspath(os.environ['WEIR_BINARY'])
ADMIN_KEY = 'admin-key-of-the-integration-tests-0001'
API_KEY = 'sk-weir-' + 'IntegrationTestsKey0000000000001'
MESSAGES = [{'role': 'user', 'content': 'What does a weir do?'}]


# A sanitizer makes Weir slow and large: what its memory is says nothing then.
SANITIZED = any(mark in pathlib.Path(WEIR).read_bytes() for mark in (b'__asan_init', b'__tsan_init'))


def wait_for(condition, what):
    """Polls until `condition()` is true; its value is returned. A hang is ended by ctest."""
    while True:
        value = condition()
        if value:
            return value
        time.sleep(0.01)


def split_address(address):
    host, _, port = address.rpartition(':')
    return host.strip('[]'), int(port)


def resident_bytes(pid):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) << 10
    raise AssertionError('no VmRSS')


class Process:
    """One running `weir`, its output in files of its own folder."""

    def __init__(self, arguments, environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-test-'))
        self.ready_file = self.folder / 'ready.json'
        self.out = open(self.folder / 'out', 'w+')
        self.err = open(self.folder / 'err', 'w+')
        clean = {k: v for k, v in os.environ.items() if not k.endswith('_API_KEY') and not k.startswith('WEIR_')}
        self.process = subprocess.Popen(
            [WEIR, *arguments, '--ready-file', str(self.ready_file)],
            stdout=self.out, stderr=self.err, cwd=self.folder, env={**clean, **(environment or {})})

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f'ended with {self.process.returncode}: {self.stderr()}')
            return self.ready_file.exists()
        wait_for(ready, 'the ready file')
        addresses = json.loads(self.ready_file.read_text())
        self.host, self.port = split_address(addresses['listen'])
        if addresses['operations']:
            self.operations_host, self.operations_port = split_address(addresses['operations'])
        return self

    def stdout(self):
        return (self.folder / 'out').read_text()

    def stderr(self):
        return (self.folder / 'err').read_text()

    def kill(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)

    def wait(self):
        return self.process.wait()

    def close(self):
        self.kill()
        self.process.wait()
        self.out.close()
        self.err.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def simulator(*arguments):
    return Process(['simulate', '--listen', '127.0.0.1:0', *arguments]).wait_ready()


def provider(port, name='sim', **more):
    """Without a breaker: a test that is about one failure must not see the sum of all before it."""
    return {'name': name, 'kind': 'openai_compatible', 'base_url': f'http://127.0.0.1:{port}/v1',
            'forward_headers': ['x-sim'], 'breaker': {'enabled': False}, **more}


def config(providers, **sections):
    """A configuration as JSON, which is YAML. Every model name `sim-…` goes to the first provider.
    One attempt a call, where a model does not say otherwise."""
    models = sections.pop('models', None) or [
        {'name': name, 'targets': [{'provider': providers[0]['name'], 'model': name}],
         'price': {'input': '1 USD', 'output': '2 USD'}}
        for name in ('sim-small', 'sim-large', 'sim-embed')]
    models = [{'retry': {'attempts': 1}, **model} for model in models]
    server = {'listen': '127.0.0.1:0', 'operations': '127.0.0.1:0', 'threads': 2, **sections.pop('server', {})}
    return json.dumps({'server': server, 'providers': providers, 'models': models, **sections})


class Gateway(Process):
    """`weir serve` with preset keys, on a data folder that may outlive it."""

    def __init__(self, configuration, data=None, environment=None, arguments=()):
        self.config_folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-config-'))
        self.config_file = self.config_folder / 'weir.yaml'
        self.config_file.write_text(configuration)
        self.data = pathlib.Path(data) if data else self.config_folder / 'data'
        super().__init__(
            ['serve', '--config', str(self.config_file), '--data', str(self.data), *arguments],
            {'WEIR_BOOTSTRAP_ADMIN_KEY': ADMIN_KEY, 'WEIR_BOOTSTRAP_API_KEY': API_KEY, **(environment or {})})

    def close(self):
        super().close()
        shutil.rmtree(self.config_folder, ignore_errors=True)

    def call(self, method, path, body=None, headers=None, key=API_KEY):
        """One request on a connection of its own: status, headers (lower case), body."""
        connection = http.client.HTTPConnection(self.host, self.port)
        with contextlib.closing(connection):
            sent = dict(headers or {})
            if key:
                sent.setdefault('Authorization', f'Bearer {key}')
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                sent.setdefault('Content-Type', 'application/json')
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def chat(self, headers=None, key=API_KEY, **fields):
        body = {'model': 'sim-small', 'messages': MESSAGES, **fields}
        status, got, text = self.call('POST', '/v1/chat/completions', body, headers, key)
        return status, got, json.loads(text) if text.startswith(b'{') else text

    def admin(self, method, path, body=None):
        status, _, text = self.call(method, '/api/v1' + path, body, key=ADMIN_KEY)
        return status, json.loads(text)

    def usage_of(self, request_id):
        """The row is written behind the answer, in batches."""
        def found():
            status, row = self.admin('GET', f'/usage/{request_id}')
            return row if status == 200 else None
        return wait_for(found, 'the usage row')

    def usage(self):
        rows = []
        before = ''
        while True:
            status, page = self.admin('GET', '/usage?limit=1000' + before)
            assert status == 200, page
            rows += page['data']
            if page['next'] is None:
                return rows
            before = f'&before={page["next"]}'

    def metrics(self):
        connection = http.client.HTTPConnection(self.operations_host, self.operations_port)
        with contextlib.closing(connection):
            connection.request('GET', '/metrics')
            text = connection.getresponse().read().decode()
        values = {}
        for line in text.splitlines():
            if not line.startswith('#'):
                name, _, value = line.rpartition(' ')
                values[name] = float(value)
        return values

    def wait_metric(self, name, value):
        """A call is counted when its answer has left: a moment after its client has it."""
        wait_for(lambda: self.metrics().get(name) == value, f'{name} to be {value}')

    def connect(self):
        return socket.create_connection((self.host, self.port))

    def open_stream(self, headers=None, **fields):
        return Stream(self, headers, fields)


class Stream:
    """A streamed chat call on a raw socket, read event by event."""

    def __init__(self, gateway, headers=None, fields=None):
        body = json.dumps({'model': 'sim-small', 'messages': MESSAGES, 'stream': True, **(fields or {})})
        more = ''.join(f'{k}: {v}\r\n' for k, v in (headers or {}).items())
        self.socket = gateway.connect()
        self.socket.sendall((f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                             f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n'
                             f'{body}').encode())
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()
        self.status = self.answer.status
        self.request_id = self.answer.getheader('x-request-id')

    def events(self):
        """The data of each event, until the stream ends; an unfinished body raises IncompleteRead."""
        while True:
            line = self.answer.readline()
            if not line:
                # readline() hides how a chunked body ended: whole, or cut.
                if not self.answer.isclosed():
                    raise http.client.IncompleteRead(b'')
                return
            if line.startswith(b'data: '):
                yield line[6:].strip().decode()

    def read_until(self, words):
        """The bytes up to these words and with them."""
        text = b''
        while not text.endswith(words):
            byte = self.answer.read(1)
            if not byte:
                raise AssertionError(f'the stream ended after {text}')
            text += byte
        return text

    def read_all(self):
        return self.answer.read()

    def first(self):
        for data in self.events():
            if json.loads(data).get('choices', [{}])[0].get('delta', {}).get('content'):
                return data

    def close(self):
        self.answer.close()
        self.socket.close()


def stats(simulated):
    connection = http.client.HTTPConnection(simulated.host, simulated.port)
    with contextlib.closing(connection):
        connection.request('GET', '/__stats')
        return json.loads(connection.getresponse().read())


def raw(gateway, payload, half_close=False):
    """Sends bytes, returns everything that comes back until the server closes."""
    with gateway.connect() as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(payload)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        received = b''
        while True:
            try:
                data = sock.recv(65536)
            except ConnectionResetError:
                return received
            if not data:
                return received
            received += data
