"""What providers do wrong, and what the client is told: RELIABILITY A9 and the faults of issue 2."""
import contextlib
import gzip
import json
import socket
import threading
import unittest
import zlib

from harness import API_KEY, Gateway, config, provider, simulator, stats, wait_for
from scripted import CHUNK, GOOD, JSON_HEAD, SSE_HEAD, Scripted


# A provider that refuses a key is not asked with it for a while: every refusal has its own.
MANY_KEYS = [{'name': f'k{i}', 'key': f'key-{i}'} for i in range(64)]


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripted = Scripted()
        with socket.create_server(('127.0.0.1', 0)) as gone:
            dead_port = gone.getsockname()[1]
        short = {'first_token': '300ms', 'idle': '300ms', 'total': '2s', 'connect': '300ms'}
        models = [{'name': name, 'targets': [{'provider': name, 'model': 'm'}], 'timeouts': short}
                  for name in ('scripted', 'dead')]
        cls.gateway = Gateway(config(
            [provider(cls.scripted.port, 'scripted', keys=MANY_KEYS), provider(dead_port, 'dead')], models=models)).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.scripted.close()

    def ask(self, script, stay=False, **fields):
        self.scripted.script, self.scripted.stay = script, stay
        status, headers, body = self.gateway.chat(model='scripted', **fields)
        row = self.gateway.usage_of(headers['x-request-id'])
        self.assertEqual(row['model'], 'scripted')
        return status, headers, body, row

    def test_what_comes_compressed_is_opened(self):
        """Weir asks for plain answers; proxies before a provider compress all the same."""
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        codings = {'gzip': gzip.compress, 'deflate': zlib.compress,
                   'Deflate': lambda body: deflate.compress(body) + deflate.flush()}
        events = CHUNK + CHUNK.replace(b'null', b'"stop"') + b'data: [DONE]\n\n'
        for coding, compress in codings.items():
            field = b'Content-Encoding: %s\r\n' % coding.encode()
            body = compress(GOOD) if coding != 'Deflate' else zlib.compress(GOOD)
            status, headers, answer, row = self.ask(JSON_HEAD + field + b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
            self.assertEqual((status, answer['choices'][0]['message']['content']), (200, 'hi'))
            self.assertNotIn('content-encoding', headers)
            self.assertEqual((row['input_tokens'], row['output_tokens'], row['estimated']), (1, 1, False))
            # A stream in pieces of any size, without a length.
            packed = compress(events)
            script = [SSE_HEAD + field + b'\r\n', *(packed[at:at + 7] for at in range(0, len(packed), 7))]
            status, headers, text, _ = self.ask(script, stream=True)
            self.assertEqual((status, text.count(b'"content":"hi"'), text[-14:]), (200, 2, b'data: [DONE]\n\n'))
            self.assertNotIn('content-encoding', headers)
        refusal = gzip.compress(b'{"error":{"message":"bad temperature","param":"temperature"}}')
        status, _, answer, _ = self.ask(
            b'HTTP/1.1 400 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s' % (len(refusal), refusal))
        self.assertEqual((status, answer['error']['param']), (400, 'temperature'))
        status, _, _, _ = self.ask(b'HTTP/1.1 429 X\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx')
        self.assertEqual(status, 429)

    def test_before_the_commit_every_fault_is_a_clear_status(self):
        sized = lambda body: b'Content-Length: %d\r\n\r\n%s' % (len(body), body)
        cases = {
            'nothing': (b'', 503, 'upstream_unavailable'),
            'no http': (b'SSH-2.0-x\r\n\r\n', 502, 'upstream_invalid_response'),
            'length and encoding': (JSON_HEAD + b'Transfer-Encoding: chunked\r\n' + sized(GOOD), 502, 'upstream_invalid_response'),
            'two lengths': (JSON_HEAD + b'Content-Length: 1\r\n' + sized(GOOD), 502, 'upstream_invalid_response'),
            'no json': (JSON_HEAD + sized(b'<html>'), 502, 'upstream_invalid_response'),
            'empty body': (JSON_HEAD + sized(b''), 502, 'upstream_invalid_response'),
            'nothing in it': (JSON_HEAD + sized(b'{"choices":[]}'), 502, 'upstream_invalid_response'),
            'cut in the body': (JSON_HEAD + b'Content-Length: 999\r\n\r\n' + GOOD, 502, 'upstream_invalid_response'),
            'bad chunk': (JSON_HEAD + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 502, 'upstream_invalid_response'),
            'head too large': (JSON_HEAD + b'X-A: ' + b'a' * 70_000 + b'\r\n' + sized(GOOD), 502, 'upstream_invalid_response'),
            'error in a 200': (JSON_HEAD + sized(b'{"error":{"message":"boom"}}'), 502, 'upstream_error'),
            '500': (b'HTTP/1.1 500 X\r\n' + sized(b'oops'), 502, 'upstream_error'),
            '401 is our key, not the client\'s': (b'HTTP/1.1 401 X\r\n' + sized(b'{}'), 502, 'upstream_error'),
            '429': (b'HTTP/1.1 429 X\r\nRetry-After: 7\r\n' + sized(b'{}'), 429, 'rate_limited'),
            '400': (b'HTTP/1.1 400 X\r\n' + sized(b'{"error":{"message":"bad temperature","param":"temperature"}}'), 400, 'invalid_request'),
            'silence': ([], 504, 'upstream_timeout'),
        }
        for name, (script, status, code) in cases.items():
            for stream in (False, True):
                with self.subTest(name, stream=stream):
                    got, headers, body, row = self.ask(script, stay=name == 'silence', stream=stream)
                    self.assertEqual((got, body['error']['code']), (status, code), body)
                    self.assertEqual(row['code'], code)
                    self.assertEqual((row['output_tokens'], row['cost_usd']), (0, None))
                    if status >= 500:
                        self.assertEqual(headers['x-should-retry'], 'false')
                    if name == '429':
                        self.assertEqual(headers['retry-after'], '7')
                    if name == '400':
                        self.assertEqual(body['error']['param'], 'temperature')

    def test_what_is_no_answer_of_a_model_is_one_clear_status(self):
        sized = lambda body: b'Content-Length: %d\r\n\r\n%s' % (len(body), body)
        bomb = gzip.compress(b'\0' * (64 << 20))
        role = CHUNK.replace(b'"content":"hi"', b'"role":"assistant"')
        cases = {
            'compressed, and broken': (JSON_HEAD + b'Content-Encoding: gzip\r\n' + sized(gzip.compress(GOOD)[:-9]), 'upstream_invalid_response'),
            'compressed in a way that is not known': (JSON_HEAD + b'Content-Encoding: br\r\n' + sized(GOOD), 'upstream_invalid_response'),
            'a bomb': (JSON_HEAD + b'Content-Encoding: gzip\r\n' + sized(bomb), 'upstream_invalid_response'),
            'a bomb as a stream': (SSE_HEAD + b'Content-Encoding: gzip\r\n' + sized(bomb), 'upstream_invalid_response'),
            'larger than any answer': (JSON_HEAD + sized(b'{"a":"' + b'x' * (65 << 20) + b'"}'), 'upstream_invalid_response'),
            'nested without end': (JSON_HEAD + sized(b'[' * 100_000), 'upstream_invalid_response'),
            'half a character': (JSON_HEAD + sized(GOOD.replace(b'hi', b'\xe2\x82')), 'upstream_invalid_response'),
            'a page': (b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n' + sized(b'<html>'), 'upstream_invalid_response'),
            '204': (b'HTTP/1.1 204 X\r\n\r\n', 'upstream_invalid_response'),
            '302': (b'HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\n' + sized(b''), 'upstream_error'),
            'another protocol': (b'HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n', 'upstream_invalid_response'),
            'interim answers without end': (b'HTTP/1.1 100 X\r\n\r\n' * 1000 + JSON_HEAD + sized(GOOD), 'upstream_invalid_response'),
            'a line of 20 MiB': (SSE_HEAD + b'\r\n' + CHUNK.replace(b'hi', b'x' * (20 << 20)), 'upstream_invalid_response'),
            'a comment of 20 MiB': (SSE_HEAD + b'\r\n: ' + b'x' * (20 << 20), 'upstream_invalid_response'),
            'only comments': (SSE_HEAD + b'\r\n' + b': x\n\n' * 100_000, 'upstream_invalid_response'),
            'only roles': (SSE_HEAD + b'\r\n' + role * 10_000, 'upstream_invalid_response'),
        }
        for name, (script, code) in cases.items():
            for stream in (False, True):
                with self.subTest(name, stream=stream):
                    status, _, body, row = self.ask(script, stream=stream)
                    self.assertEqual((status, body['error']['code'], row['code']), (502, code, code), body)

    def test_a_reset_is_told_before_the_commit_and_after_it(self):
        self.addCleanup(setattr, self.scripted, 'reset', False)
        self.scripted.reset = True
        for script, stream in [(b'', False), (b'', True), (JSON_HEAD, False), (SSE_HEAD + b'\r\n', True)]:
            with self.subTest(script, stream=stream):
                status, _, body, row = self.ask(script, stream=stream)
                self.assertIn((status, row['code']), [(502, 'upstream_invalid_response'), (503, 'upstream_unavailable')], body)
                self.assertEqual(body['error']['code'], row['code'])
        arrived = threading.Event()

        def until_arrived():
            yield SSE_HEAD + b'\r\n' + CHUNK
            arrived.wait()
        self.scripted.script = until_arrived()
        stream = self.gateway.open_stream(model='scripted')
        with contextlib.closing(stream):
            stream.first()
            arrived.set()
            events = list(stream.events())
        self.assertEqual([json.loads(event)['error']['code'] for event in events], ['upstream_invalid_response'])
        self.assertEqual(self.gateway.usage_of(stream.request_id)['output_tokens'], 1)

    def test_nobody_there(self):
        status, headers, body = self.gateway.chat(model='dead')
        self.assertEqual((status, body['error']['code']), (503, 'upstream_unavailable'))
        self.assertEqual(headers['x-weir-attempts'], '0')
        self.assertEqual(self.gateway.usage_of(headers['x-request-id'])['attempts'], [])

    def test_a_stream_that_never_gives_a_token_fails_with_a_status(self):
        role = CHUNK.replace(b'"content":"hi"', b'"role":"assistant","content":""')
        for name, script, code in [('empty', SSE_HEAD + b'\r\n', 'upstream_invalid_response'),
                                   ('only a role', SSE_HEAD + b'\r\n' + role, 'upstream_invalid_response'),
                                   ('an error', SSE_HEAD + b'\r\ndata: {"error":{"message":"x"}}\n\n', 'upstream_error'),
                                   ('plain json', JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD), 'upstream_invalid_response')]:
            with self.subTest(name):
                status, _, body, _ = self.ask(script, stream=True)
                self.assertEqual((status, body['error']['code']), (502, code))

    def test_after_the_commit_a_fault_is_an_event_and_never_a_done(self):
        for name, script, stay, code in [
                ('cut', SSE_HEAD + b'Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n' % (len(CHUNK), CHUNK), False, 'upstream_invalid_response'),
                ('no terminal', SSE_HEAD + b'\r\n' + CHUNK, False, 'upstream_invalid_response'),
                ('an error', SSE_HEAD + b'\r\n' + CHUNK + b'data: {"error":{"message":"secret words"}}\n\n', False, 'upstream_error'),
                ('no json', SSE_HEAD + b'\r\n' + CHUNK + b'data: {nonsense\n\n', False, 'upstream_invalid_response'),
                ('half a character', SSE_HEAD + b'\r\n' + CHUNK + CHUNK.replace(b'hi', b'\xe2\x82'), False, 'upstream_invalid_response'),
                ('a line of 20 MiB', SSE_HEAD + b'\r\n' + CHUNK + CHUNK.replace(b'hi', b'x' * (20 << 20)), False, 'upstream_invalid_response'),
                ('stall', SSE_HEAD + b'\r\n' + CHUNK, True, 'upstream_timeout')]:
            with self.subTest(name):
                status, _, text, row = self.ask(script, stay=stay, stream=True)
                self.assertEqual(status, 200)
                events = [line[6:] for line in text.decode().split('\n') if line.startswith('data: ')]
                self.assertEqual(json.loads(events[-1])['error']['code'], code)
                self.assertNotIn('[DONE]', events)
                self.assertNotIn(b'secret words', text)
                self.assertEqual(row['code'], code)
                self.assertTrue(row['estimated'])
                self.assertEqual(row['output_tokens'], 1)

    def test_a_stream_cut_by_reset_says_so(self):
        for fields in ({}, {'n': 2}):
            status, _, text, _ = self.ask(SSE_HEAD + b'Content-Length: 100000\r\n\r\n' + CHUNK, stream=True, **fields)
            self.assertEqual(status, 200)
            self.assertIn(b'"error"', text)

    def test_what_the_provider_gets_is_what_the_client_sent_but_for_the_model(self):
        body = b'{ "model" : "scripted", "messages":[{"role":"user","content":"\\u00e4 x"}], "unknown": [1.50, {"a":null}] }'
        self.scripted.script = JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD)
        status, _, answer = self.gateway.call('POST', '/v1/chat/completions', body, {'Content-Type': 'application/json'})
        self.assertEqual(status, 200)
        head, sent = self.scripted.requests[-1]
        self.assertEqual(sent, body.replace(b'"scripted"', b'"m"'))
        self.assertEqual(answer, GOOD.replace(b'"model":"m"', b'"model":"scripted"'))
        self.assertNotIn(b'sk-weir', head)
        self.assertIn(b'traceparent: 00-', head)

    def test_the_trace_of_the_client_goes_on(self):
        self.scripted.script = JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD)
        trace = '0af7651916cd43dd8448eb211c80319c'
        self.gateway.chat({'traceparent': f'00-{trace}-b7ad6b7169203331-01', 'X-Request-Id': 'mine'}, model='scripted')
        head, _ = self.scripted.requests[-1]
        self.assertIn(f'traceparent: 00-{trace}-'.encode(), head)
        self.assertNotIn(b'b7ad6b7169203331', head)
        _, headers, _ = self.gateway.chat({'X-Request-Id': 'mine'}, model='scripted')
        self.assertEqual(headers['x-client-request-id'], 'mine')
        self.assertNotEqual(headers['x-request-id'], 'mine')

    def test_1xx_is_skipped(self):
        status, _, _, _ = self.ask(b'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' + JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(GOOD), GOOD))
        self.assertEqual(status, 200)


class ClientGone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator('--tps', '50')
        cls.gateway = Gateway(config([provider(cls.simulator.port)])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def gone(self, stream, aborted_before):
        row = self.gateway.usage_of(stream.request_id)
        self.assertEqual(row['code'], 'cancelled')
        self.assertEqual(len(row['attempts']), 1)
        self.assertTrue(row['estimated'])
        wait_for(lambda: stats(self.simulator)['aborted'] > aborted_before, 'the provider to notice')
        ids = [r['request_id'] for r in self.gateway.usage()]
        self.assertEqual(ids.count(stream.request_id), 1)
        return row

    def test_in_the_middle_of_a_stream(self):
        before = stats(self.simulator)['aborted']
        stream = self.gateway.open_stream(max_tokens=10_000)
        stream.first()
        stream.close()
        row = self.gone(stream, before)
        self.assertGreaterEqual(row['output_tokens'], 1)
        self.assertEqual(row['status'], 200)

    def test_while_the_provider_is_silent(self):
        before = stats(self.simulator)['aborted']
        stream = self.gateway.open_stream({'x-sim': 'after=1;stall=60s'}, max_tokens=10_000)
        stream.first()
        stream.close()
        self.gone(stream, before)

    def test_with_a_pipelined_request_waiting(self):
        before = stats(self.simulator)['aborted']
        stream = self.gateway.open_stream({'x-sim': 'after=1;stall=60s'}, max_tokens=10_000)
        stream.first()
        stream.socket.sendall(b'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n')
        stream.close()
        self.gone(stream, before)

    def test_before_the_answer_began(self):
        before = stats(self.simulator)['aborted']
        with self.gateway.connect() as sock:
            body = b'{"model":"sim-small","messages":[{"role":"user","content":"x"}]}'
            calls = stats(self.simulator)['calls']
            sock.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-sim: stall=60s\r\nAuthorization: Bearer ' +
                         API_KEY.encode() + b'\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))
            wait_for(lambda: stats(self.simulator)['calls'] > calls, 'the call to arrive')
        wait_for(lambda: stats(self.simulator)['aborted'] > before, 'the provider to notice')
        wait_for(lambda: [r for r in self.gateway.usage() if r['code'] == 'cancelled' and not r['stream']], 'the row')

    def test_nothing_stays_in_flight(self):
        name = 'weir_inflight{model="sim-small",provider="sim"}'
        wait_for(lambda: self.gateway.metrics()[name] == 0, 'the gauge')


if __name__ == '__main__':
    unittest.main()
