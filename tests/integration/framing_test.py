"""RELIABILITY A1, A3, A5, A6, A8: what is no acceptable request gets one clear answer, and nothing twice."""
import contextlib
import json
import re
import unittest

from harness import API_KEY, MESSAGES, SANITIZED, Gateway, config, provider, raw, resident_bytes, simulator

BODY = json.dumps({'model': 'sim-small', 'messages': MESSAGES, 'max_tokens': 2}).encode()
KEY_LINE = f'Authorization: Bearer {API_KEY}\r\n'


def request(*lines, body=b'', start='POST /v1/chat/completions HTTP/1.1', host='Host: x\r\n'):
    head = start + '\r\n' + host + KEY_LINE + ''.join(line + '\r\n' for line in lines) + '\r\n'
    return head.encode('latin-1') + body


def answers(received):
    return [int(status) for status in re.findall(rb'HTTP/1\.1 (\d{3}) ', received)]


def sized(n):
    return f'Content-Length: {n}'


LENGTH = sized(len(BODY))
CHUNKED = 'Transfer-Encoding: chunked'


def chunked(body=BODY, size=None, extension='', end='\r\n', trailer=''):
    line = size if size is not None else f'{len(body):x}'
    return f'{line}{extension}{end}'.encode('latin-1') + body + b'\r\n0\r\n' + trailer.encode() + b'\r\n'


REFUSED = {
    'length with encoding': request(LENGTH, CHUNKED, body=chunked()),
    'two lengths': request(LENGTH, sized(3), body=BODY),
    'the same length twice': request(LENGTH, LENGTH, body=BODY),
    'a list of lengths': request('Content-Length: 5, 5', body=BODY),
    'plus': request('Content-Length: +5', body=BODY),
    'hexadecimal': request('Content-Length: 0x5', body=BODY),
    'underscore': request('Content-Length: 1_0', body=BODY),
    'empty length': request('Content-Length:', body=BODY),
    'negative': request('Content-Length: -1', body=BODY),
    'xchunked': request('Transfer-Encoding: xchunked', body=chunked()),
    'chunked, identity': request('Transfer-Encoding: chunked, identity', body=chunked()),
    'vertical tab before chunked': request('Transfer-Encoding: \x0bchunked', body=chunked()),
    'encoding on 1.0': request(CHUNKED, start='POST /v1/chat/completions HTTP/1.0', body=chunked()),
    'space before the colon': request('X-A : b', LENGTH, body=BODY),
    'folded line': request('X-A: b\r\n c', LENGTH, body=BODY),
    'bare CR in a value': request('X-A: b\rc', LENGTH, body=BODY),
    'bare LF ends a line': request(LENGTH, body=BODY).replace(b'Host: x\r\n', b'Host: x\n'),
    'NUL in a value': request('X-A: b\0c', LENGTH, body=BODY),
    'no host': request(LENGTH, body=BODY, host=''),
    'two hosts': request('Host: y', LENGTH, body=BODY),
    'underscore in a name': request('X_A: b', LENGTH, body=BODY),
    'chunk size 0x5': request(CHUNKED, body=chunked(size='0x5')),
    'chunk size +5': request(CHUNKED, body=chunked(size='+5')),
    'chunk size -1': request(CHUNKED, body=chunked(size='-1')),
    'chunk size 0_2e': request(CHUNKED, body=chunked(size='0_2e')),
    'chunk size of 17 digits': request(CHUNKED, body=chunked(size='0' * 15 + f'{len(BODY):02x}')),
    'chunk line ended by LF': request(CHUNKED, body=chunked(end='\n')),
    'CR in a chunk extension': request(CHUNKED, body=chunked(extension=';a=\rb')),
    'long chunk extension': request(CHUNKED, body=chunked(extension=';' + 'a' * 300)),
    'encoding as trailer': request(CHUNKED, body=chunked(trailer='Transfer-Encoding: chunked\r\n')),
    'length as trailer': request(CHUNKED, body=chunked(trailer='Content-Length: 3\r\n')),
    'host as trailer': request(CHUNKED, body=chunked(trailer='Host: y\r\n')),
    'authorization as trailer': request(CHUNKED, body=chunked(trailer='Authorization: Bearer x\r\n')),
    'HTTP/2 preface': b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'no request at all': b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n',
    'absolute target of another scheme': request(LENGTH, start='POST ftp://x/v1 HTTP/1.1', body=BODY),
}

ACCEPTED = {
    'upper-case hexadecimal': request(CHUNKED, 'Connection: close', body=chunked(size=f'{len(BODY):X}')),
    'an extension within the limit': request(CHUNKED, 'Connection: close', body=chunked(extension=';name=value')),
    'one leading CRLF': b'\r\n' + request(LENGTH, 'Connection: close', body=BODY),
    'an ordinary trailer': request(CHUNKED, 'Connection: close', body=chunked(trailer='X-Sum: 1\r\n')),
    'HTTP/1.0': request(LENGTH, start='POST /v1/chat/completions HTTP/1.0', body=BODY),
    'pipelined': request(LENGTH, body=BODY) + request(LENGTH, 'Connection: close', body=BODY),
}


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator()
        cls.gateway = Gateway(config([provider(cls.simulator.port)])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def test_what_could_be_read_in_two_ways_is_refused_once_and_closed(self):
        for name, payload in REFUSED.items():
            with self.subTest(name):
                # What follows would be a second request for a parser that was fooled.
                received = raw(self.gateway, payload + request(LENGTH, 'Connection: close', body=BODY))
                self.assertEqual(answers(received), [400], received)
                self.assertIn(b'"code":"invalid_framing"', received)
                self.assertIn(b'x-request-id: ', received)
                self.assertIn(b'connection: close', received)

    def test_what_is_odd_but_valid_is_accepted(self):
        for name, payload in ACCEPTED.items():
            with self.subTest(name):
                received = raw(self.gateway, payload)
                self.assertEqual(set(answers(received)), {200}, received)
                self.assertEqual(len(answers(received)), 2 if name == 'pipelined' else 1)

    def test_limits_of_the_head_at_one_below_at_and_one_above(self):
        line = len('POST /v1/models/ HTTP/1.1')
        cases = [
            # name, how a size becomes a request, the limit, what is beyond it
            ('request line', lambda n: request('Connection: close', start=f'POST /v1/models/{"a" * (n - line)} HTTP/1.1'),
             8 << 10, (414, 'uri_too_long'), (405, 'method_not_allowed')),
            ('one field', lambda n: request('X-A: ' + 'b' * (n - 5), LENGTH, 'Connection: close', body=BODY),
             8 << 10, (431, 'headers_too_large'), (200, None)),
            ('fields', lambda n: request(*[f'X-{i}: b' for i in range(n - 4)], LENGTH, 'Connection: close', body=BODY),
             100, (431, 'headers_too_large'), (200, None)),
        ]
        for name, make, limit, beyond, within in cases:
            for n in (limit - 1, limit, limit + 1):
                with self.subTest(name, n=n):
                    status, code = beyond if n > limit else within
                    received = raw(self.gateway, make(n))
                    self.assertEqual(answers(received), [status], received[:400])
                    if code:
                        self.assertIn(f'"code":"{code}"'.encode(), received)

    def test_all_fields_together_have_a_limit(self):
        lines = [f'X-{i:02}: ' + 'b' * 4000 for i in range(9)]
        received = raw(self.gateway, request(*lines, LENGTH, body=BODY))
        self.assertEqual(answers(received), [431])

    def test_memory_is_taken_for_what_came_and_not_for_what_was_said(self):
        # A limit each, held open: 32 KiB of fields without their end, and 32 MiB announced but not sent.
        field = 'X-A: ' + 'b' * 8000 + '\r\n'
        waiting = [request()[:-2] + (field * 4).encode(), request(sized(32 << 20), body=b'{"a'), request(CHUNKED, body=b'2000000\r\n{"a')]
        count = 200
        self.assertEqual(self.gateway.chat(max_tokens=1)[0], 200)
        before = resident_bytes(self.gateway.pid)
        with contextlib.ExitStack() as held:
            for payload in waiting * count:
                held.enter_context(self.gateway.connect()).sendall(payload)
            # The call of the last one is under way when others are still served.
            for _ in range(20):
                self.assertEqual(self.gateway.chat(max_tokens=1)[0], 200)
            grown = resident_bytes(self.gateway.pid) - before
        if not SANITIZED:
            self.assertLess(grown, len(waiting) * count * (64 << 10))

    def test_the_body_has_a_limit_at_one_below_at_and_one_above(self):
        limit = 32 << 20
        frame = b'{"model":"sim-small","messages":[{"role":"user","content":""}],"max_tokens":1}'
        for n in (limit - 1, limit):
            body = frame.replace(b'"content":""', b'"content":"' + b'a' * (n - len(frame)) + b'"')
            status, _, _ = self.gateway.call('POST', '/v1/chat/completions', body,
                                             {'Content-Type': 'application/json'})
            # The simulator has a limit of its own, below ours or at it: what matters is that we let it pass.
            self.assertNotEqual(status, 413, n)
        # Decided from Content-Length, before the body is read; the answer arrives although we go on sending.
        received = raw(self.gateway, request(sized(limit + 1), body=b'{' + b' ' * 100_000))
        self.assertEqual(answers(received), [413])
        self.assertIn(b'"code":"payload_too_large"', received)
        part = b' ' * (1 << 20)
        received = raw(self.gateway, request(CHUNKED) + b''.join(
            f'{len(part):x}\r\n'.encode() + part + b'\r\n' for _ in range(33)))
        self.assertEqual(answers(received), [413])

    def test_bodies_that_are_not_json_say_where(self):
        deep = 100_000
        cases = {
            b'{"model": tru}': 10, b'{"model":"a",}': 13, b'': 0, b'[' * deep: 64,
            b'{"model":"\xff","messages":[]}': 10, BODY + b'x': len(BODY),
            b'{"model":"sim-small","model":"sim-large","messages":[{"role":"user","content":"x"}]}': 22,
            b'{"messages":[{"role":"user","role":"user","content":"x"}]}': 29,
        }
        for body, offset in cases.items():
            for path in ('/v1/chat/completions', '/v1/embeddings'):
                with self.subTest(body[:60], path=path):
                    status, _, text = self.gateway.call('POST', path, body, {'Content-Type': 'application/json'})
                    error = json.loads(text)['error']
                    self.assertEqual((status, error['code']), (400, 'invalid_json'), error)
                    self.assertIn(f'at byte {offset}.', error['message'])

    def test_wrong_types_name_the_parameter(self):
        for body, parameter in [({'messages': MESSAGES, 'model': 1}, 'model'),
                                ({'model': 'sim-small'}, 'messages'),
                                ({'model': 'sim-small', 'messages': 'hello'}, 'messages'),
                                ({'model': 'sim-small', 'messages': MESSAGES, 'stream': 'yes'}, 'stream'),
                                ({'model': 'sim-small', 'messages': MESSAGES, 'max_tokens': -1}, 'max_tokens'),
                                ({'model': 'sim-small', 'messages': MESSAGES, 'max_tokens': 1.5}, 'max_tokens'),
                                ({'model': 'sim-small', 'messages': MESSAGES, 'n': 0}, 'n'),
                                ({'messages': MESSAGES}, 'model')]:
            with self.subTest(parameter, body=body):
                status, _, text = self.gateway.call('POST', '/v1/chat/completions', body)
                error = json.loads(text)['error']
                self.assertEqual((status, error['code'], error['param']), (400, 'invalid_request', parameter))

    def test_methods(self):
        for method, path, status, allow in [
                ('GET', '/v1/chat/completions', 405, 'POST'), ('HEAD', '/v1/chat/completions', 405, 'POST'),
                ('PUT', '/v1/embeddings', 405, 'POST'), ('POST', '/v1/models', 405, 'GET, HEAD'),
                ('TRACE', '/v1/models', 405, 'GET, HEAD'), ('OPTIONS', '/v1/models', 405, 'GET, HEAD'),
                ('DELETE', '/api/v1/usage', 405, 'GET'), ('BREW', '/v1/models', 501, 'GET, HEAD')]:
            with self.subTest(f'{method} {path}'):
                got, headers, _ = self.gateway.call(method, path)
                self.assertEqual((got, headers.get('allow')), (status, allow))
                self.assertIn('date', headers)
                self.assertEqual(headers['content-type'], 'application/json')

    def test_head_has_the_fields_of_get_and_no_body(self):
        status, headers, body = self.gateway.call('HEAD', '/v1/models')
        _, of_get, text = self.gateway.call('GET', '/v1/models')
        self.assertEqual((status, body), (200, b''))
        self.assertEqual(headers['content-length'], str(len(text)))
        self.assertEqual(set(headers), set(of_get))

    def test_an_error_to_head_has_no_body_that_the_next_answer_could_be_read_from(self):
        first = request(start='HEAD /v1/chat/completions HTTP/1.1') + request(start='HEAD /v1/nowhere HTTP/1.1')
        received = raw(self.gateway, first + request('Connection: close', start='GET /v1/models HTTP/1.1'))
        heads = received.split(b'\r\n\r\n')
        self.assertEqual([head[:12] for head in heads[:3]], [b'HTTP/1.1 405', b'HTTP/1.1 404', b'HTTP/1.1 200'])

    def test_paths_are_taken_as_they_are(self):
        for path in ['//v1/models', '/v1/../api/v1/keys', '/v1/%2e%2e/api/v1/keys', '/v1/models%00', '/v1/models/..',
                     '/v1/chat%2fcompletions', '/V1/models', '/v1/%c0%ae%c0%ae/models', '/', '/v1/chat/completions/']:
            with self.subTest(path):
                status, _, text = self.gateway.call('GET', path)
                self.assertIn(status, (400, 404), text)

    def test_what_a_stranger_says_about_himself_changes_nothing(self):
        for field in ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X-User-Id', 'X-Tenant']:
            status, headers, _ = self.gateway.chat({field: '203.0.113.9'}, max_tokens=1)
            self.assertEqual(status, 200)
        log = self.gateway.stderr()
        self.assertNotIn('203.0.113.9', log)

    def test_an_unauthorised_call_is_told_how_to_authorise(self):
        status, headers, _ = self.gateway.chat(key=None)
        self.assertEqual(status, 401)
        self.assertEqual(headers['www-authenticate'], 'Bearer')
        self.assertEqual(headers['content-type'], 'application/json')

    def test_expectations(self):
        received = raw(self.gateway, request(LENGTH, 'Expect: 100-continue', 'Connection: close', body=BODY))
        self.assertEqual(answers(received)[-1], 200)
        received = raw(self.gateway, request(LENGTH, 'Expect: a-miracle', 'Connection: close', body=BODY))
        self.assertEqual(answers(received), [417])
        # A body that will not be taken is not asked for.
        received = raw(self.gateway, request(sized(64 << 20), 'Expect: 100-continue'), half_close=True)
        self.assertEqual(answers(received), [413])

    def test_compressed_and_foreign_bodies(self):
        for headers in [{'Content-Encoding': 'gzip'}, {'Content-Type': 'text/xml'}]:
            status, _, text = self.gateway.call('POST', '/v1/chat/completions', BODY, headers)
            self.assertEqual((status, json.loads(text)['error']['code']), (415, 'unsupported_media_type'))


if __name__ == '__main__':
    unittest.main()
