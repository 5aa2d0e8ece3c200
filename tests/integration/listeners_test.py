"""Where Weir listens, and with which certificate, changes while it serves: no call fails."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import API_KEY, MESSAGES, WEIR, Gateway, config, provider, simulator, split_address, wait_for
from tls_test import make_certificate

CHANGES = int(os.environ.get('WEIR_LISTENER_CHANGES', '8'))
BODY = json.dumps({'model': 'sim-small', 'messages': MESSAGES, 'max_tokens': 3})
HEADERS = {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'}


def free_address():
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return f'127.0.0.1:{probe.getsockname()[1]}'


class Callers:
    """Four clients that call where they are told to, each second one on a connection that it keeps."""

    def __init__(self, port, context=None):
        self.port, self.context = port, context
        self.failures, self.calls, self.over = [], [0] * 4, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(4)]
        for thread in self.threads:
            thread.start()

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection('127.0.0.1', self.port, context=self.context)
        return http.client.HTTPConnection('127.0.0.1', self.port)

    def run(self, i):
        kept = None
        while not self.over.is_set():
            port = self.port
            connection = kept or self.connect()
            try:
                connection.request('POST', '/v1/chat/completions', BODY, HEADERS)
                answer = connection.getresponse()
                answer.read()
                closes = answer.will_close
                if answer.status != 200:
                    self.failures.append(answer.status)
                self.calls[i] += 1
            except ConnectionRefusedError:
                closes = True
                if port == self.port:  # told where it is no more: he had not looked again
                    self.failures.append('refused')
            except (OSError, http.client.HTTPException) as error:
                closes = True
                self.failures.append(repr(error))
            if closes or i % 2 == 0:
                connection.close()
                kept = None
            else:
                kept = connection

    def some_more(self):
        before = list(self.calls)
        wait_for(lambda: all(now > was for now, was in zip(self.calls, before)), 'a call of each')

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Listeners(unittest.TestCase):
    def setUp(self):
        self.simulator = simulator('--tps', '2000')
        self.addCleanup(self.simulator.close)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-listeners-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def text(self, **server):
        return config([provider(self.simulator.port)], server=server)

    def gateway(self, **server):
        gateway = Gateway(self.text(**server))
        self.addCleanup(gateway.close)
        return gateway.wait_ready()

    def change(self, gateway, **server):
        """Writes the file; what the reload said. The file watch may have been first."""
        part = gateway.config_folder / 'weir.yaml.part'
        part.write_text(self.text(**server))
        os.replace(part, gateway.config_file)
        return gateway.admin('POST', '/reload')

    def test_an_address_changes_many_times_under_load(self):
        gateway = self.gateway(listen=free_address())
        callers = Callers(gateway.port)
        self.addCleanup(callers.stop)
        for _ in range(CHANGES):
            callers.some_more()
            old, new = gateway.port, free_address()
            status, answer = self.change(gateway, listen=new)
            self.assertEqual((status, answer['needs_restart']), (200, []))
            gateway.port = callers.port = split_address(new)[1]
            callers.some_more()

            def is_closed():
                try:
                    socket.create_connection(('127.0.0.1', old)).close()
                except ConnectionRefusedError:
                    return True
            wait_for(is_closed, 'the old address to close')
        callers.stop()
        self.assertEqual(callers.failures, [])

    def test_streams_outlive_the_address_they_came_by(self):
        gateway = self.gateway(listen=free_address())
        streams = [gateway.open_stream({'x-sim': 'after=3;stall=1s'}, max_tokens=20) for _ in range(20)]
        for stream in streams:
            stream.first()
        new = free_address()
        self.assertEqual(self.change(gateway, listen=new)[0], 200)
        for stream in streams:
            self.assertEqual(list(stream.events())[-1], '[DONE]')
            stream.close()
        gateway.port = split_address(new)[1]
        self.assertEqual(gateway.chat()[0], 200)

    def test_from_one_address_to_all_and_back_on_the_same_port(self):
        here = free_address()
        gateway = self.gateway(listen=here)
        self.assertEqual(self.change(gateway, listen=here.replace('127.0.0.1', '0.0.0.0'))[0], 200)
        self.assertEqual(gateway.chat()[0], 200)
        self.assertEqual(self.change(gateway, listen=here)[0], 200)
        self.assertEqual(gateway.chat()[0], 200)

    def test_the_operations_address_changes(self):
        gateway = self.gateway(operations=free_address())
        old, new = gateway.operations_port, free_address()
        self.assertEqual(self.change(gateway, operations=new)[0], 200)
        gateway.operations_port = split_address(new)[1]
        self.assertGreaterEqual(gateway.metrics()['weir_reload_total{result="in_force"}'], 1)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', old))

    def test_an_address_in_use_refuses_the_file_whole(self):
        gateway = self.gateway(listen=free_address())
        with socket.create_server(('127.0.0.1', 0)) as taken:
            in_use = f'127.0.0.1:{taken.getsockname()[1]}'
            new = free_address()
            for key, server in (('server.listen', {'listen': in_use}),
                                ('server.operations', {'operations': in_use, 'listen': new})):
                status, answer = self.change(gateway, **server)
                self.assertEqual((status, answer['result']), (400, 'refused'), answer)
                self.assertIn(f'{in_use} is in use by another program', answer['errors'][0])
                self.assertIn(key, answer['errors'][0])
                self.assertEqual(gateway.chat()[0], 200)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', split_address(new)[1]))

    def test_open_to_all_without_keys_is_refused_here_too(self):
        gateway = self.gateway(listen=free_address())
        part = gateway.config_folder / 'weir.yaml.part'
        part.write_text(config([provider(self.simulator.port)], auth={'mode': 'off'},
                               server={'listen': f'0.0.0.0:{gateway.port}'}))
        os.replace(part, gateway.config_file)
        status, answer = gateway.admin('POST', '/reload')
        self.assertEqual((status, answer['result']), (400, 'refused'), answer)
        self.assertIn('auth.mode is off', answer['errors'][0])
        self.assertEqual(gateway.chat(key=None)[0], 401)

    def test_what_needs_a_restart_is_named_still(self):
        gateway = self.gateway(listen=free_address())
        status, answer = self.change(gateway, listen=free_address(), threads=3)
        self.assertEqual((status, answer['needs_restart']), (200, ['server.threads']))

    def certificate(self, name):
        return make_certificate(self.folder, name, 'IP:127.0.0.1')

    def install(self, name):
        """As a renewal does it: the same names, other content."""
        for suffix in ('crt', 'key'):
            shutil.copy(self.folder / f'{name}.{suffix}', self.folder / f'part.{suffix}')
            os.replace(self.folder / f'part.{suffix}', self.folder / f'live.{suffix}')

    def served(self, gateway):
        return ssl.get_server_certificate(('127.0.0.1', gateway.port))

    def test_a_certificate_is_renewed_in_place_under_load(self):
        texts = {name: self.certificate(name)[0].read_text() for name in ('one', 'two')}
        self.install('one')
        files = {'cert': str(self.folder / 'live.crt'), 'key': str(self.folder / 'live.key')}
        gateway = self.gateway(tls=files)
        trusting = ssl.create_default_context(cadata=texts['one'] + texts['two'])
        callers = Callers(gateway.port, trusting)
        self.addCleanup(callers.stop)
        kept = callers.connect()
        self.addCleanup(kept.close)
        kept.request('GET', '/v1/models', headers=HEADERS)
        kept.getresponse().read()
        for name in ('two', 'one', 'two'):
            self.install(name)
            wait_for(lambda: self.served(gateway) == texts[name], 'the new certificate')
            callers.some_more()
        kept.request('GET', '/v1/models', headers=HEADERS)  # on the connection it has
        self.assertEqual(kept.getresponse().status, 200)
        callers.stop()
        self.assertEqual(callers.failures, [])

        # What is broken stays outside, and says so; what is mended comes in.
        (self.folder / 'live.crt').write_text('broken')
        wait_for(lambda: "live.crt' cannot be read" in gateway.stderr(), 'the refusal')
        self.assertIn('server.tls', gateway.stderr())
        self.assertEqual(self.served(gateway), texts['two'])
        self.install('one')
        wait_for(lambda: self.served(gateway) == texts['one'], 'the mended certificate')

    def test_from_plain_to_tls_and_back_on_one_address(self):
        cert, key = self.certificate('one')
        here = free_address()
        gateway = self.gateway(listen=here)
        kept = http.client.HTTPConnection('127.0.0.1', gateway.port)
        with contextlib.closing(kept):
            kept.request('GET', '/v1/models', headers=HEADERS)
            kept.getresponse().read()
            self.assertEqual(self.change(gateway, listen=here, tls={'cert': str(cert), 'key': str(key)})[0], 200)
            wait_for(lambda: self.served(gateway) == cert.read_text(), 'TLS')
            kept.request('GET', '/v1/models', headers=HEADERS)
            answer = kept.getresponse()
            self.assertEqual((answer.status, answer.getheader('connection')), (200, 'close'))
        gateway.config_file.write_text(self.text(listen=here))
        gateway.kill(signal.SIGHUP)

        def is_plain():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return gateway.chat()[0] == 200
        wait_for(is_plain, 'plain text')


# Becomes the program with the descriptors where it looks for them, as systemd does it.
LAUNCHER = '''
import os, sys
descriptors = [int(one) for one in sys.argv[1].split(',')]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(descriptors)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
'''


class Manager:
    """A service manager as Weir sees one: it holds the sockets, and listens to what is said."""

    def __init__(self, folder, **sockets):
        self.folder, self.sockets = folder, sockets
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / 'notify'))
        self.words = folder / 'err'
        self.started = 0

    def close(self):
        for one in (self.notify, *self.sockets.values()):
            one.close()

    def start(self, text, names=None, *arguments):
        self.started += 1
        file, self.ready = self.folder / 'weir.yaml', self.folder / f'ready{self.started}'
        file.write_text(text)
        descriptors = [one.fileno() for one in self.sockets.values()]
        named = {} if names == '' else {'LISTEN_FDNAMES': names or ':'.join(self.sockets)}
        clean = {k: v for k, v in os.environ.items() if not k.startswith('WEIR_')}
        return subprocess.Popen(
            [sys.executable, '-c', LAUNCHER, ','.join(map(str, descriptors)), WEIR, 'serve', '--config', str(file),
             '--data', str(self.folder / 'data'), '--ready-file', str(self.ready), *arguments],
            env={**clean, **named, 'LISTEN_FDS': str(len(descriptors)), 'NOTIFY_SOCKET': str(self.folder / 'notify'),
                 'WEIR_BOOTSTRAP_API_KEY': API_KEY},
            pass_fds=descriptors, stdout=subprocess.DEVNULL, stderr=open(self.words, 'w'))

    def hear(self):
        return dict(line.split('=', 1) for line in self.notify.recv(4096).decode().splitlines())


class ServiceManager(unittest.TestCase):
    def setUp(self):
        self.simulator = simulator()
        self.addCleanup(self.simulator.close)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-manager-'))
        self.addCleanup(shutil.rmtree, self.folder)
        self.text = config([provider(self.simulator.port)])

    def manager(self, **sockets):
        sockets = sockets or {name: socket.create_server(('127.0.0.1', 0)) for name in ('operations', 'api')}
        manager = Manager(self.folder, **sockets)
        self.addCleanup(manager.close)
        self.port = next(reversed(sockets.values())).getsockname()[1]
        return manager

    def end(self, process, status=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), status)

    def call(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.port)
        with contextlib.closing(connection):
            connection.request('POST', '/v1/chat/completions', BODY, HEADERS)
            return connection.getresponse().status

    def test_its_sockets_are_served_and_it_is_told_everything(self):
        manager = self.manager()
        process = manager.start(self.text)
        self.addCleanup(process.kill)
        ready = manager.hear()
        self.assertEqual((ready['READY'], ready['STATUS']), ('1', f'Serves 127.0.0.1:{self.port}'))
        addresses = json.loads(manager.ready.read_text())
        self.assertEqual(addresses, {
            'listen': f'127.0.0.1:{self.port}',
            'operations': f'127.0.0.1:{manager.sockets["operations"].getsockname()[1]}'})
        self.assertEqual(self.call(), 200)
        process.send_signal(signal.SIGHUP)
        reloading = manager.hear()
        self.assertEqual(reloading['RELOADING'], '1')
        self.assertGreater(int(reloading['MONOTONIC_USEC']), 0)
        self.assertEqual(manager.hear()['READY'], '1')
        self.end(process)
        self.assertEqual(manager.hear()['STOPPING'], '1')

    def test_a_restart_refuses_nobody(self):
        """The sockets stay with the manager: who connects in between waits, and is served by the next one."""
        manager = self.manager()
        process = manager.start(self.text)
        self.addCleanup(process.kill)
        manager.hear()
        callers = Callers(self.port)
        self.addCleanup(callers.stop)
        for _ in range(3):
            callers.some_more()
            self.end(process)
            self.assertEqual(manager.hear()['STOPPING'], '1')
            process = manager.start(self.text)
            self.addCleanup(process.kill)
            manager.hear()
            callers.some_more()
        callers.stop()
        self.assertEqual(callers.failures, [])
        self.end(process)

    def test_a_hand_over_names_the_process_that_stays(self):
        manager = self.manager()
        old = manager.start(self.text)
        self.addCleanup(old.kill)
        manager.hear()
        callers = Callers(self.port)
        self.addCleanup(callers.stop)
        callers.some_more()
        new = manager.start(self.text, None, '--take-over')
        self.addCleanup(new.kill)
        heard = {}
        while not {'MAINPID', 'READY'} <= set(heard):
            heard.update(manager.hear())
        self.assertEqual(heard['MAINPID'], str(new.pid))
        self.assertEqual(old.wait(), 0)
        callers.some_more()
        # They are the manager's still: the next one finds them, and what waits in them.
        self.end(new)
        last = manager.start(self.text)
        self.addCleanup(last.kill)
        callers.some_more()
        callers.stop()
        self.assertEqual(callers.failures, [])
        self.end(last)

    def test_sockets_without_names_are_taken_in_their_order(self):
        api, operations = (socket.create_server(('127.0.0.1', 0)) for _ in range(2))
        manager = self.manager(api=api, operations=operations)
        self.port = api.getsockname()[1]
        process = manager.start(self.text, '')
        self.addCleanup(process.kill)
        manager.hear()
        self.assertEqual(self.call(), 200)
        self.end(process)

    def test_what_cannot_be_used_is_said(self):
        silent = socket.socket()
        for sockets, names, words in (
                ({'api': silent}, 'api', "Descriptor 3, given as 'api', is no listening TCP socket."),
                ({'x': socket.create_server(('127.0.0.1', 0))}, 'weir.socket', "a socket named 'weir.socket'")):
            manager = Manager(pathlib.Path(tempfile.mkdtemp(dir=self.folder)), **sockets)
            self.addCleanup(manager.close)
            self.assertEqual(manager.start(self.text, names).wait(), 78)
            self.assertIn(words, manager.words.read_text())


if __name__ == '__main__':
    unittest.main()
