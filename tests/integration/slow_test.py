"""Clients that take their time, on purpose or not: each is dropped at its limit, and nobody else notices."""
import contextlib
import itertools
import json
import socket
import threading
import unittest

from harness import API_KEY, Gateway, config, provider, simulator
from scripted import CHUNK, SSE_HEAD, Scripted


class SlowClients(unittest.TestCase):
    """The limits are seconds, so all of them are waited for side by side."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator()
        cls.gateway = Gateway(config([provider(cls.simulator.port)])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def receive_all(self, sock):
        received = b''
        with contextlib.suppress(ConnectionResetError):
            while data := sock.recv(65536):
                received += data
        return received

    def test_every_kind_at_once(self):
        head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n').encode()
        body = json.dumps({'model': 'sim-small', 'messages': [{'role': 'user', 'content': 'x'}], 'stream': True,
                           'max_tokens': 1_000_000}).encode()
        silent = self.gateway.connect()
        half_head = self.gateway.connect()
        half_head.sendall(head)
        half_body = self.gateway.connect()
        half_body.sendall(head + b'Content-Length: 1000\r\n\r\n{')
        drip = self.gateway.connect()
        drip.sendall(head + b'Content-Length: 1000000\r\n\r\n')

        def drip_on():
            with contextlib.suppress(OSError):
                while True:
                    drip.sendall(b' ')
                    threading.Event().wait(0.5)
        threading.Thread(target=drip_on, daemon=True).start()

        results = {}
        threads = []
        for name, sock in [('silent', silent), ('half_head', half_head), ('half_body', half_body), ('drip', drip)]:
            def receive(name=name, sock=sock):
                results[name] = self.receive_all(sock)
            threads.append(threading.Thread(target=receive))
            threads[-1].start()
        # Meanwhile others are served.
        for _ in range(20):
            self.assertEqual(self.gateway.chat(max_tokens=1)[0], 200)
        for thread in threads:
            thread.join()
        self.assertEqual(results['silent'], b'')
        for name in ('half_head', 'half_body', 'drip'):
            self.assertIn(b'HTTP/1.1 408 ', results[name], name)
            self.assertIn(b'"code":"request_timeout"', results[name], name)

    def test_a_reader_that_stalls_is_dropped_and_its_call_settled(self):
        endless = Scripted()
        endless.script = itertools.chain([SSE_HEAD + b'\r\n'], itertools.repeat(CHUNK * 100))
        gateway = Gateway(config([provider(endless.port)])).wait_ready()
        with contextlib.closing(gateway), contextlib.closing(endless), socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((gateway.host, gateway.port))
            body = json.dumps({'model': 'sim-small', 'messages': [{'role': 'user', 'content': 'x'}], 'stream': True}).encode()
            sock.sendall((f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                          f'Content-Length: {len(body)}\r\n\r\n').encode() + body)
            head = sock.recv(4096).decode('latin-1')
            request_id = next(line.split(': ')[1] for line in head.split('\r\n') if line.startswith('x-request-id'))
            row = gateway.usage_of(request_id)
            self.assertEqual(row['code'], 'cancelled')
            self.assertGreater(row['output_tokens'], 0)


if __name__ == '__main__':
    unittest.main()
