"""Several targets, several keys, failures of each: what the client sees, and what providers got."""
import concurrent.futures
import contextlib
import http.client
import json
import socket
import threading
import time
import unittest

from harness import API_KEY, MESSAGES, Gateway, config, provider, simulator, wait_for
from scripted import CHUNK, GOOD, JSON_HEAD, SSE_HEAD, Scripted

DONE = (b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
        b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
ROLE = (b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
        b'"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n')


def sized(status, body, *fields):
    lines = [f'HTTP/1.1 {status}'.encode(), b'Content-Type: application/json', b'Content-Length: %d' % len(body),
             b'Connection: close', *fields]
    return b'\r\n'.join(lines) + b'\r\n\r\n' + body


GOOD_ANSWER = sized('200 OK', GOOD)
BUSY = sized('503 Service Unavailable', b'{"error":{"message":"busy"}}')
GOOD_STREAM = SSE_HEAD + b'Connection: close\r\n\r\n' + ROLE + CHUNK + DONE


def error(status, code, **fields):
    return sized(status, json.dumps({'error': {'message': 'no', 'type': code, 'code': code, **fields}}).encode())


def dead_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


def to(*names, **more):
    """One model, `m`, at providers of these names."""
    return [{'name': 'm', 'targets': [{'provider': name, 'model': 'x'} for name in names], 'retry': {'attempts': 3}, **more}]


class Case(unittest.TestCase):
    def scripted(self, script):
        server = Scripted()
        server.script = script
        self.addCleanup(server.close)
        return server

    def gateway(self, *providers, **sections):
        gateway = Gateway(config(list(providers), **sections))
        self.addCleanup(gateway.close)
        return gateway.wait_ready()

    def ask(self, gateway, headers=None, key=API_KEY, **fields):
        return gateway.chat(headers, key, model='m', **fields)


class Failover(Case):
    def test_a_dead_target_of_two_fails_no_call(self):
        good = self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(dead_port(), 'dead', breaker={}), provider(good.port, 'good'), models=to('dead', 'good'))
        for _ in range(60):
            status, headers, _ = self.ask(gateway)
            self.assertEqual(status, 200)
        self.assertEqual(len(good.requests), 60)
        state = {row['provider']: row for row in gateway.admin('GET', '/router/targets')[1]['data']}
        self.assertEqual(state['dead']['breaker'], 'open')
        self.assertEqual(state['good']['breaker'], 'closed')

    def test_a_dead_target_fails_no_call_of_a_crowd_either(self):
        good = self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(dead_port(), 'dead', breaker={}), provider(good.port, 'good'), models=to('dead', 'good'))
        with concurrent.futures.ThreadPoolExecutor(32) as crowd:
            statuses = list(crowd.map(lambda _: self.ask(gateway)[0], range(200)))
        self.assertEqual(set(statuses), {200})

    def test_both_attempts_are_written_down(self):
        busy, good = self.scripted(BUSY), self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(busy.port, 'busy'), provider(good.port, 'good'),
                               models=to('busy', 'good', strategy='priority',
                                         targets=[{'provider': 'busy', 'model': 'x', 'tier': 0},
                                                  {'provider': 'good', 'model': 'x', 'tier': 1}]))
        status, headers, _ = self.ask(gateway)
        self.assertEqual((status, headers['x-weir-attempts']), (200, '2'))
        row = gateway.usage_of(headers['x-request-id'])
        self.assertEqual(row['provider'], 'good')
        self.assertEqual([(a['provider'], a['code'], a['status']) for a in row['attempts']],
                         [('busy', 'upstream_error', 503), ('good', 'ok', 200)])

    def test_a_refused_request_is_tried_nowhere_else(self):
        for status, code in (('400 Bad Request', 'invalid_request_error'), ('422 Unprocessable Entity', 'invalid_request_error')):
            refusing, good = self.scripted(error(status, code)), self.scripted(GOOD_ANSWER)
            gateway = self.gateway(provider(refusing.port, 'refusing'), provider(good.port, 'good'),
                                   models=to('refusing', strategy='priority', fallback=[{'provider': 'good', 'model': 'x'}]))
            self.assertEqual(self.ask(gateway)[0], 400)
            self.assertEqual((len(refusing.requests), len(good.requests)), (1, 0))

    def test_fallbacks_across_models(self):
        busy, good = self.scripted(BUSY), self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(busy.port, 'busy'), provider(good.port, 'good'), models=[
            *to('busy', fallback=[{'model': 'other'}]),
            {'name': 'other', 'targets': [{'provider': 'good', 'model': 'y'}]}])
        status, _, answer = self.ask(gateway)
        self.assertEqual(status, 200)
        self.assertEqual(answer['model'], 'm')
        self.assertIn(b'"y"', good.requests[0][1])

    def test_a_prompt_that_is_too_long_goes_to_the_larger_model(self):
        small = self.scripted(error('400 Bad Request', 'context_length_exceeded'))
        large = self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(small.port, 'small'), provider(large.port, 'large'),
                               models=to('small', context_fallback={'provider': 'large', 'model': 'xl'}))
        self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((len(small.requests), len(large.requests)), (1, 1))

    def test_a_stream_fails_over_unseen_before_its_first_token(self):
        for broken in (
            SSE_HEAD + b'Connection: close\r\n\r\n' + ROLE,
            SSE_HEAD + b'Connection: close\r\n\r\n' + ROLE + b'data: {"error":{"message":"no","type":"server_error"}}\n\n',
            SSE_HEAD + b'Connection: close\r\n\r\n',
            BUSY,
        ):
            first, good = self.scripted(broken), self.scripted(GOOD_STREAM)
            gateway = self.gateway(provider(first.port, 'first'), provider(good.port, 'good'),
                                   models=to('first', fallback=[{'provider': 'good', 'model': 'x'}]))
            status, headers, text = self.ask(gateway, stream=True)
            self.assertEqual(status, 200, text)
            self.assertEqual(text.count(b'"hi"'), 1)
            self.assertNotIn(b'error', text)
            self.assertEqual(text.count(b'[DONE]'), 1)
            self.assertEqual((len(first.requests), len(good.requests)), (1, 1))

    def test_after_the_first_token_nothing_is_sent_again(self):
        cut, good = self.scripted(SSE_HEAD + b'Connection: close\r\n\r\n' + ROLE + CHUNK), self.scripted(GOOD_STREAM)
        cut.reset = True
        gateway = self.gateway(provider(cut.port, 'cut'), provider(good.port, 'good'),
                               models=to('cut', fallback=[{'provider': 'good', 'model': 'x'}]))
        for _ in range(50):
            status, headers, text = self.ask(gateway, stream=True)
            self.assertIn(status, (200, 502, 503))
        self.assertEqual(len(cut.requests), 50)
        # A reset may overtake the token that was sent before it: only then there was nothing to see.
        rows = wait_for(lambda: [rows for rows in [gateway.usage()] if len(rows) == 50], 'all rows')[0]
        self.assertEqual(len(good.requests), sum(1 for row in rows if row['code'] == 'ok'))


class Budget(Case):
    def test_a_target_that_always_fails_is_not_asked_three_times(self):
        busy = self.scripted(BUSY)
        gateway = self.gateway(provider(busy.port, 'busy'), models=to('busy', retry={'attempts': 3, 'backoff_min': '1ms', 'backoff_max': '2ms'}))
        calls = 300
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as crowd:
            statuses = set(crowd.map(lambda _: self.ask(gateway)[0], range(calls)))
        self.assertEqual(statuses, {502})
        spent = time.monotonic() - began
        self.assertLessEqual(len(busy.requests), calls * 1.2 + 3 * (spent + 1) + 1)


    def test_the_share_is_the_models(self):
        busy = self.scripted(BUSY)
        backoff = {'backoff_min': '1ms', 'backoff_max': '2ms'}
        gateway = self.gateway(provider(busy.port, 'busy'), models=to('busy', retry={'attempts': 2, 'budget': '100%', **backoff}))
        for _ in range(60):
            self.assertEqual(self.ask(gateway)[0], 502)
        self.assertEqual(len(busy.requests), 120)


class Keys(Case):
    def keys_of(self, scripted):
        return [head.lower().split(b'authorization: bearer ')[1].split(b'\r\n')[0] for head, _ in scripted.requests]

    def two_keys(self, refusal):
        server = Answering(refusal)
        self.addCleanup(server.close)
        gateway = self.gateway(provider(server.port, 'p', keys=[{'name': 'one', 'key': 'bad'}, {'name': 'two', 'key': 'fine'}]),
                               models=to('p'))
        return server, gateway

    def test_a_refused_key_rests_and_the_other_goes_on(self):
        for status, code in (('401 Unauthorized', 'invalid_api_key'), ('402 Payment Required', 'billing'),
                             ('403 Forbidden', 'forbidden'), ('429 Too Many Requests', 'rate_limit_exceeded')):
            server, gateway = self.two_keys(error(status, code))
            for _ in range(20):
                self.assertEqual(self.ask(gateway)[0], 200, status)
            self.assertEqual(server.keys.count('fine'), 20)
            self.assertLessEqual(server.keys.count('bad'), 2)
            keys = gateway.admin('GET', '/router/targets')[1]['data'][0]['keys']
            self.assertEqual(keys[1]['state'], 'on')

    def test_the_last_key_is_spared_by_429_but_not_by_401(self):
        limited = self.scripted(error('429 Too Many Requests', 'rate_limit_exceeded'))
        gateway = self.gateway(provider(limited.port, 'p'), models=to('p', retry={'attempts': 1}))
        for _ in range(3):
            status, headers, _ = self.ask(gateway)
            self.assertEqual(status, 429)
        self.assertEqual(len(limited.requests), 3)
        refused = self.scripted(error('401 Unauthorized', 'invalid_api_key'))
        gateway = self.gateway(provider(refused.port, 'p'), models=to('p', retry={'attempts': 1}))
        self.assertEqual(self.ask(gateway)[0], 502)
        status, headers, answer = self.ask(gateway)
        self.assertEqual((status, answer['error']['code']), (503, 'upstream_unavailable'))
        self.assertGreater(int(headers['retry-after']), 60)
        self.assertEqual(len(refused.requests), 1)


class Answering(Scripted):
    """Answers the key `bad` with a refusal, others well."""

    def __init__(self, refusal):
        self.refusal = refusal
        self.keys = []
        super().__init__()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            received = b''
            while b'\r\n\r\n' not in received:
                received += connection.recv(65536)
            head, _, body = received.partition(b'\r\n\r\n')
            length = int(head.lower().split(b'content-length: ')[1].split(b'\r\n')[0])
            while len(body) < length:
                body += connection.recv(65536)
            key = head.lower().split(b'authorization: bearer ')[1].split(b'\r\n')[0].decode()
            self.keys.append(key)
            connection.sendall(self.refusal if key == 'bad' else GOOD_ANSWER)


class ByModel(Scripted):
    """One of its models fails once it is told to."""

    def __init__(self, model):
        self.model, self.is_bad = model.encode(), False
        super().__init__()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            _, body = self.read(connection)
            connection.sendall(BUSY if self.is_bad and b'"%s"' % self.model in body else GOOD_ANSWER)


class Breakers(Case):
    def test_a_sole_target_that_fails_is_left_alone(self):
        busy = self.scripted(BUSY)
        gateway = self.gateway(provider(busy.port, 'p', breaker={'open': '1h'}), models=to('p', retry={'attempts': 1}))
        for _ in range(5):
            self.assertEqual(self.ask(gateway)[0], 502)
        for _ in range(20):
            status, headers, answer = self.ask(gateway)
            self.assertEqual((status, answer['error']['code']), (503, 'upstream_unavailable'))
            self.assertGreater(int(headers['retry-after']), 60)
        self.assertEqual(len(busy.requests), 5)

    def test_a_call_that_nobody_can_take_has_its_row(self):
        busy = self.scripted(BUSY)
        gateway = self.gateway(provider(busy.port, 'p', breaker={'open': '1h', 'consecutive': 1}),
                               models=to('p', retry={'attempts': 1}))
        self.assertEqual(self.ask(gateway)[0], 502)
        status, headers, _ = self.ask(gateway)
        self.assertEqual((status, headers['x-weir-attempts']), (503, '0'))
        row = gateway.usage_of(headers['x-request-id'])
        self.assertEqual((row['code'], row['status'], row['attempts']), ('upstream_unavailable', 503, []))

    def test_models_that_pass_through_are_left_alone_each_by_itself(self):
        server = ByModel('bad')
        self.addCleanup(server.close)
        gateway = self.gateway(provider(server.port, 'p', breaker={'open': '1h', 'consecutive': 2}, pass_through=True),
                               models=to('p', retry={'attempts': 1}))
        ask = lambda model: gateway.chat(model=model)[0]
        # What nobody has heard of yet shares one state: each answers once.
        self.assertEqual([ask('p/good'), ask('p/bad')], [200, 200])
        server.is_bad = True
        self.assertEqual([ask('p/bad') for _ in range(3)], [502, 503, 503])
        self.assertEqual([ask('p/good') for _ in range(4)], [200] * 4)
        rows = {row['model']: row['breaker'] for row in gateway.admin('GET', '/router/targets')[1]['data']}
        self.assertEqual(rows, {'x': 'closed', None: 'closed', 'good': 'closed', 'bad': 'open'})

    def test_it_comes_back_with_one_probe(self):
        server = self.scripted(BUSY)
        gateway = self.gateway(provider(server.port, 'p', breaker={'open': '300ms'}), models=to('p', retry={'attempts': 1}))
        for _ in range(5):
            self.ask(gateway)
        server.script = GOOD_ANSWER
        wait_for(lambda: self.ask(gateway)[0] == 200, 'the breaker to close')
        for _ in range(10):
            self.assertEqual(self.ask(gateway)[0], 200)


class Wishes(Case):
    def test_a_pin_needs_a_key_that_may(self):
        one, two = self.scripted(GOOD_ANSWER), self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(one.port, 'one'), provider(two.port, 'two'), models=to('one', 'two'))
        status, _, answer = self.ask(gateway, {'x-weir-pin': 'two'})
        self.assertEqual((status, answer['error']['code']), (403, 'permission_denied'))
        key = gateway.admin('POST', '/keys', {'name': 'pins', 'may_pin': True})[1]['key']
        for _ in range(10):
            self.assertEqual(self.ask(gateway, {'x-weir-pin': 'two'}, key)[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (0, 10))
        status, _, answer = self.ask(gateway, {'x-weir-pin': 'three'}, key)
        self.assertEqual((status, answer['error']['param']), (400, 'x-weir-pin'))
        only = gateway.admin('POST', '/keys', {'name': 'only', 'may_pin': True, 'allowed_providers': ['one']})[1]['key']
        self.assertEqual(self.ask(gateway, {'x-weir-pin': 'two'}, only)[0], 403)
        self.assertEqual(self.ask(gateway, None, only)[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (1, 10))

    def test_nothing_is_tried_when_the_time_is_over(self):
        silent, good = self.scripted(b''), self.scripted(GOOD_ANSWER)
        silent.stay = True
        gateway = self.gateway(provider(silent.port, 'p'), provider(good.port, 'q'),
                               models=to('p', fallback=[{'provider': 'q', 'model': 'x'}]))
        status, _, answer = self.ask(gateway, {'x-weir-timeout-ms': '200'})
        self.assertEqual((status, answer['error']['code']), (504, 'upstream_timeout'))
        self.assertEqual(len(good.requests), 0)

    def test_a_callers_time_only_tightens(self):
        silent = self.scripted(b'')
        silent.stay = True
        gateway = self.gateway(provider(silent.port, 'p'), models=to('p'))
        status, _, answer = self.ask(gateway, {'x-weir-timeout-ms': '200'})
        self.assertEqual((status, answer['error']['code']), (504, 'upstream_timeout'))
        self.assertEqual(len(silent.requests), 1)
        self.assertEqual(self.ask(gateway, {'x-weir-timeout-ms': 'soon'})[0], 400)


class Together(Case):
    """What belongs together goes to one target, in the words of each dialect."""

    def test_calls_of_one_conversation_or_user(self):
        upstreams = [simulator(), simulator()]
        for one in upstreams:
            self.addCleanup(one.close)
        kinds = {'chat': 'openai_compatible', 'claude': 'anthropic'}
        gateway = self.gateway(*(provider(one.port, f'{name}{i}', kind=kind, api_key='k') for name, kind in kinds.items()
                                 for i, one in enumerate(upstreams)),
                               models=[{'name': name, 'strategy': 'pinned', 'expose_upstream': True, 'targets': [
                                   {'provider': f'{name}{i}', 'model': 'x'} for i in (0, 1)]} for name in kinds])

        def gone_to(path, **fields):
            status, headers, body = gateway.call('POST', path, {'max_tokens': 3, 'messages': MESSAGES, **fields})
            self.assertEqual(status, 200, body)
            return headers['x-weir-provider']
        for path, model, field in (('/v1/chat/completions', 'chat', lambda name: {'prompt_cache_key': name}),
                                   ('/v1/chat/completions', 'chat', lambda name: {'user': name}),
                                   ('/v1/messages', 'claude', lambda name: {'metadata': {'user_id': name}})):
            places = {name: {gone_to(path, model=model, **field(name)) for _ in range(4)} for name in map(str, range(12))}
            self.assertEqual({len(each) for each in places.values()}, {1}, places)
            self.assertEqual(len(set.union(*places.values())), 2, places)


class Exposed(Case):
    """Who answered is nobody's business, unless the model or the key says so."""

    def seen(self, gateway, model, key=API_KEY, **fields):
        status, headers, body = gateway.call('POST', '/v1/chat/completions', {'model': model, 'messages': MESSAGES, **fields}, key=key)
        self.assertEqual(status, 200, body)
        answer = json.loads(body.split(b'data: ')[1] if fields.get('stream') else body)
        return headers.get('x-weir-provider'), headers.get('x-weir-model'), answer['model']

    def test_names_of_providers_and_models(self):
        upstream = simulator()
        self.addCleanup(upstream.close)
        models = [{'name': f'{shown}-{name}', 'targets': [{'provider': name, 'model': 'real'}], 'expose_upstream': shown == 'shown'}
                  for shown in ('hidden', 'shown') for name in ('chat', 'claude')]
        gateway = self.gateway(provider(upstream.port, 'chat'), provider(upstream.port, 'claude', kind='anthropic', api_key='k'),
                               models=models)
        key = gateway.admin('POST', '/keys', {'name': 'pins', 'may_pin': True})[1]['key']
        for name in ('chat', 'claude'):
            for fields in ({}, {'stream': True}):
                with self.subTest(name, **fields):
                    self.assertEqual(self.seen(gateway, f'hidden-{name}', **fields), (None, None, f'hidden-{name}'))
                    self.assertEqual(self.seen(gateway, f'shown-{name}', **fields), (name, 'real', 'real'))
                    self.assertEqual(self.seen(gateway, f'hidden-{name}', key, **fields), (name, 'real', 'real'))


class Admission(Case):
    def test_more_than_a_target_takes_waits_or_is_refused(self):
        with simulator('--ttft', '400ms') as slow:
            gateway = self.gateway(provider(slow.port, 'p', admission={'in_flight': 2, 'queue': 3, 'wait': '30s'}), models=to('p'))
            with concurrent.futures.ThreadPoolExecutor(12) as crowd:
                answers = list(crowd.map(lambda _: self.ask(gateway), range(12)))
            good = [answer for answer in answers if answer[0] == 200]
            full = [answer for answer in answers if answer[0] != 200]
            self.assertGreaterEqual(len(good), 5)
            for status, headers, answer in full:
                self.assertEqual((status, answer['error']['code']), (429, 'queue_full'))
                self.assertIn('retry-after', headers)
            wait_for(lambda: gateway.admin('GET', '/router/targets')[1]['data'][0]['in_flight'] == 0, 'all places to be free')

    def test_the_limit_may_be_found_out(self):
        silent = self.scripted(b'')
        silent.stay = True
        gateway = self.gateway(provider(silent.port, 'p', admission={'adaptive': {'enabled': True, 'least': 1, 'first': 2, 'most': 3}}),
                               models=to('p'))
        streams = []
        for _ in range(2):
            streams.append(gateway.connect())
            body = json.dumps({'model': 'm', 'messages': MESSAGES, 'stream': True}).encode()
            streams[-1].sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n'
                                b'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                                % (API_KEY.encode(), len(body), body))
            self.addCleanup(streams[-1].close)
        wait_for(lambda: gateway.admin('GET', '/router/targets')[1]['data'][0]['in_flight'] == 2, 'both calls to be there')
        status, _, answer = self.ask(gateway)
        self.assertEqual((status, answer['error']['code']), (429, 'queue_full'))

    def test_who_leaves_leaves_the_queue(self):
        silent = self.scripted(b'')
        silent.stay = True
        gateway = self.gateway(provider(silent.port, 'p', admission={'in_flight': 1, 'queue': 5, 'wait': '1h'}), models=to('p'))
        state = lambda: gateway.admin('GET', '/router/targets')[1]['data'][0]
        connections = []
        for expected in ((1, 0), (1, 1), (1, 2)):
            connection = http.client.HTTPConnection(gateway.host, gateway.port)
            connection.request('POST', '/v1/chat/completions', json.dumps({'model': 'm', 'messages': MESSAGES}),
                               {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'})
            connections.append(connection)
            wait_for(lambda: (state()['in_flight'], state()['queued']) == expected, 'the call to wait')
        for connection, expected in zip(reversed(connections), ((1, 1), (1, 0), (0, 0))):
            connection.close()
            wait_for(lambda: (state()['in_flight'], state()['queued']) == expected, 'the call to leave')


class Hedging(Case):
    """A second attempt beside a stream that is slow to begin (RELIABILITY B3)."""

    PRICE = {'input': '1 USD', 'output': '2 USD'}

    def two(self, warm=40, **hedge):
        """`slow` is asked first, and has been quick until now; the share allows a second attempt for 20 streams."""
        self.slow, self.quick = Racing(GOOD_STREAM), Racing(GOOD_STREAM)
        self.addCleanup(self.slow.close)
        self.addCleanup(self.quick.close)
        gateway = self.gateway(
            provider(self.slow.port, 'slow', pass_through=True), provider(self.quick.port, 'quick', breaker={'consecutive': 1, 'open': '1h'}),
            models=to(strategy='priority', price=self.PRICE, hedge={'delay': '300ms', **hedge},
                      targets=[{'provider': 'slow', 'model': 'x'}, {'provider': 'quick', 'model': 'x', 'tier': 1}]))
        for _ in range(warm):
            self.assertEqual(self.ask(gateway, stream=True)[0], 200)
        self.assertEqual((len(self.slow.requests), len(self.quick.requests)), (warm, 0))
        self.slow.requests.clear()
        return gateway

    def attempts_of(self, gateway, request_id):
        row = gateway.usage_of(request_id)
        return row, [(a['provider'], a['code']) for a in row['attempts']]

    def test_who_has_a_token_first_is_the_answer_and_the_other_is_cancelled_and_billed(self):
        gateway = self.two()
        self.slow.hold()
        status, headers, text = self.ask(gateway, stream=True)
        self.assertEqual((status, text.count(b'"hi"'), text.count(b'[DONE]')), (200, 1, 1))
        self.assertEqual(headers['x-weir-attempts'], '2')
        self.assertTrue(self.slow.left.wait(60))  # although nothing was ever sent there
        self.assertEqual((len(self.slow.requests), len(self.quick.requests)), (1, 1))
        row, attempts = self.attempts_of(gateway, headers['x-request-id'])
        self.assertEqual(attempts, [('slow', 'cancelled'), ('quick', 'ok')])
        self.assertEqual((row['provider'], row['code']), ('quick', 'ok'))
        self.assertTrue(all(float(a['cost_usd']) > 0 for a in row['attempts']))
        self.assertAlmostEqual(float(row['cost_usd']), sum(float(a['cost_usd']) for a in row['attempts']))
        self.assertEqual(row['input_tokens'], sum(a['input_tokens'] for a in row['attempts']))
        gateway.wait_metric('weir_hedges_total{model="m",outcome="won"}', 1)
        # A target that was overtaken is not at fault.
        self.assertEqual({row['breaker'] for row in gateway.admin('GET', '/router/targets')[1]['data']}, {'closed'})
        wait_for(lambda: all(row['in_flight'] == 0 for row in gateway.admin('GET', '/router/targets')[1]['data']), 'all places to be free')

    def test_the_first_may_still_win(self):
        gateway = self.two()
        self.slow.hold()
        self.quick.hold()
        stream = self.later(gateway)
        wait_for(lambda: len(self.quick.requests) == 1, 'the second attempt')
        self.slow.release.set()
        status, headers, text = stream.result()
        self.assertEqual((status, text.count(b'"hi"')), (200, 1))
        self.assertTrue(self.quick.left.wait(60))
        row, attempts = self.attempts_of(gateway, headers['x-request-id'])
        self.assertEqual(attempts, [('quick', 'cancelled'), ('slow', 'ok')])
        gateway.wait_metric('weir_hedges_total{model="m",outcome="lost"}', 1)

    def later(self, gateway):
        crowd = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(crowd.shutdown)
        return crowd.submit(self.ask, gateway, stream=True)

    def test_one_stream_of_twenty_at_most(self):
        gateway = self.two(warm=40)
        self.slow.hold()
        streams = [self.later(gateway) for _ in range(6)]
        wait_for(lambda: len(self.slow.requests) == 6, 'all to be asked')
        wait_for(lambda: sum(stream.done() for stream in streams) == 2, 'the second attempts')
        self.slow.release.set()
        self.assertEqual([stream.result()[0] for stream in streams], [200] * 6)
        self.assertEqual(len(self.quick.requests), 2)  # 46 streams, 2.3 second attempts

    def test_not_before_anybody_knows_what_is_slow(self):
        gateway = self.two(warm=19)
        self.slow.hold()
        stream = self.later(gateway)
        wait_for(lambda: len(self.slow.requests) == 1, 'the call to be there')
        # A time that was measured would be over by now.
        self.assertEqual(self.ask(gateway, {'x-weir-timeout-ms': '900'}, stream=True)[0], 504)
        self.slow.release.set()
        self.assertEqual(stream.result()[0], 200)
        self.assertEqual(len(self.quick.requests), 0)

    def test_a_second_that_fails_is_not_waited_for_and_a_first_that_fails_is_replaced(self):
        gateway = self.two()
        self.slow.hold()
        self.quick.script = BUSY
        stream = self.later(gateway)
        wait_for(lambda: [row for row in gateway.admin('GET', '/router/targets')[1]['data'] if row['breaker'] == 'open'], 'the second to fail')
        self.slow.release.set()
        status, headers, _ = stream.result()
        self.assertEqual(status, 200)
        self.assertEqual(self.attempts_of(gateway, headers['x-request-id'])[1], [('quick', 'upstream_error'), ('slow', 'ok')])

        gateway = self.two()
        self.slow.script = BUSY
        self.slow.hold()
        self.quick.hold()
        stream = self.later(gateway)
        wait_for(lambda: len(self.quick.requests) == 1, 'the second attempt')
        self.slow.release.set()
        wait_for(lambda: [row['in_flight'] for row in gateway.admin('GET', '/router/targets')[1]['data'] if row['model']] == [0, 1], 'the first to fail')
        self.quick.release.set()
        status, headers, text = stream.result()
        self.assertEqual((status, text.count(b'"hi"')), (200, 1))
        self.assertEqual(self.attempts_of(gateway, headers['x-request-id'])[1], [('slow', 'upstream_error'), ('quick', 'ok')])

    def test_a_client_that_leaves_ends_both(self):
        gateway = self.two()
        self.slow.hold()
        self.quick.hold()
        body = json.dumps({'model': 'm', 'messages': MESSAGES, 'stream': True}).encode()
        client = gateway.connect()
        client.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n'
                       b'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' % (API_KEY.encode(), len(body), body))
        wait_for(lambda: len(self.quick.requests) == 1, 'the second attempt')
        client.close()
        self.assertTrue(self.slow.left.wait(60) and self.quick.left.wait(60))
        row = wait_for(lambda: [row for row in gateway.usage() if row['code'] == 'cancelled'], 'the row')[0]
        row, attempts = self.attempts_of(gateway, row['request_id'])
        self.assertEqual(sorted(attempts), [('quick', 'cancelled'), ('slow', 'cancelled')])
        self.assertTrue(all(float(a['cost_usd']) > 0 for a in row['attempts']))
        self.assertAlmostEqual(float(row['cost_usd']), sum(float(a['cost_usd']) for a in row['attempts']))


class Health(Case):
    """Cheap questions beside the calls, and what follows where they are not answered."""

    def probed(self):
        server = Probed()
        self.addCleanup(server.close)
        return server

    def state(self, gateway, name):
        return [row for row in gateway.admin('GET', '/router/targets')[1]['data'] if row['provider'] == name][0]

    def two(self, **breaker):
        self.one, self.two_ = self.probed(), self.probed()
        health = {'interval': '100ms', 'unhealthy_after': 2, 'healthy_after': 2}
        return self.gateway(
            provider(self.one.port, 'one', health=health, breaker={'enabled': False, **breaker}), provider(self.two_.port, 'two'),
            models=to(strategy='priority', targets=[{'provider': 'one', 'model': 'x'}, {'provider': 'two', 'model': 'x', 'tier': 1}]))

    def test_who_does_not_answer_gets_no_calls_until_it_does(self):
        gateway = self.two()
        self.assertEqual(self.ask(gateway)[0], 200)
        wait_for(lambda: self.one.probes > 2, 'the probes')
        self.assertTrue(self.state(gateway, 'one')['reachable'])
        self.assertEqual((self.one.calls, self.two_.probes), (1, 0))
        self.one.probe_answer = BUSY
        wait_for(lambda: not self.state(gateway, 'one')['reachable'], 'it to be taken out')
        for _ in range(10):
            self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((self.one.calls, self.two_.calls), (1, 10))
        gateway.wait_metric('weir_target_healthy{provider="one",model="x"}', 0)
        self.one.probe_answer = error('401 Unauthorized', 'invalid_api_key')  # somebody is there
        wait_for(lambda: self.state(gateway, 'one')['reachable'], 'it to be back')
        self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual(self.one.calls, 2)
        self.assertIn('provider.away', gateway.stderr())
        self.assertIn('provider.back', gateway.stderr())

    def test_who_is_back_is_tried_at_once_though_its_breaker_is_open(self):
        gateway = self.two(enabled=True, consecutive=1, open='1h')
        self.one.answer_ = self.one.probe_answer = BUSY
        self.assertEqual(self.ask(gateway)[0], 200)  # by the other
        wait_for(lambda: not self.state(gateway, 'one')['reachable'], 'it to be taken out')
        self.assertEqual(self.state(gateway, 'one')['breaker'], 'open')
        self.one.answer_ = self.one.probe_answer = GOOD_ANSWER
        wait_for(lambda: self.state(gateway, 'one')['breaker'] == 'half_open', 'it to be back')
        self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((self.one.calls, self.state(gateway, 'one')['breaker']), (2, 'closed'))

    def test_good_probes_close_no_breaker(self):
        gateway = self.two(enabled=True, consecutive=1, open='1h')
        self.one.answer_ = BUSY
        self.assertEqual(self.ask(gateway)[0], 200)
        before = self.one.probes
        wait_for(lambda: self.one.probes > before + 4, 'the probes')
        self.assertEqual(self.state(gateway, 'one')['breaker'], 'open')

    def test_who_is_not_probed_any_more_is_not_held_away(self):
        gateway = self.two()
        self.one.probe_answer = BUSY
        wait_for(lambda: not self.state(gateway, 'one')['reachable'], 'it to be taken out')
        written = json.loads(gateway.config_file.read_text())
        del written['providers'][0]['health']
        gateway.config_file.write_text(json.dumps(written))
        self.assertEqual(gateway.admin('POST', '/reload')[1]['result'], 'in_force')
        self.assertTrue(self.state(gateway, 'one')['reachable'])
        self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual(self.one.calls, 1)


class Probed(Scripted):
    """Answers GET apart from calls."""

    def __init__(self):
        self.probes = self.calls = 0
        self.probe_answer = self.answer_ = GOOD_ANSWER
        super().__init__()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            head, _ = self.read(connection)
            is_probe = head.startswith(b'GET /v1/models ')
            self.probes += is_probe
            self.calls += not is_probe
            connection.sendall(self.probe_answer if is_probe else self.answer_)


class Racing(Scripted):
    """Answers at once, until it is held: then when it is released. `left`: somebody went without an answer."""

    def __init__(self, script):
        self.release, self.left = threading.Event(), threading.Event()
        self.release.set()
        super().__init__()
        self.script = script

    def hold(self):
        self.release.clear()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            self.read(connection)
            connection.settimeout(0.01)
            while not self.release.is_set():
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b'':
                        self.left.set()
                        return
            connection.sendall(self.script)


class InFlight(Case):
    """What the whole gateway has at once."""

    def held(self, **limits):
        release = threading.Event()
        self.addCleanup(release.set)
        server = self.scripted(Held(release, GOOD_ANSWER))
        return release, server, self.gateway(provider(server.port, 'p'), models=to('p'), limits={'in_flight': limits})

    def begin(self, gateway):
        connection = http.client.HTTPConnection(gateway.host, gateway.port)
        self.addCleanup(connection.close)
        connection.request('POST', '/v1/chat/completions', json.dumps({'model': 'm', 'messages': MESSAGES}),
                           {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'})
        return connection

    def saturation(self, gateway, *resources):
        metrics = gateway.metrics()
        return tuple(metrics[f'weir_saturation_ratio{{resource="{resource}"}}'] for resource in resources)

    def test_more_than_the_gateway_takes_waits_or_is_refused(self):
        release, server, gateway = self.held(calls=2, queue=1, wait='1h')
        calls = []
        for expected in ((0.5, 0), (1, 0), (1, 1)):
            calls.append(self.begin(gateway))
            wait_for(lambda: self.saturation(gateway, 'in_flight', 'queue') == expected, 'the call to be there')
        status, headers, answer = self.ask(gateway)
        self.assertEqual((status, answer['error']['code']), (429, 'queue_full'))
        self.assertEqual(headers['retry-after'], '1')
        gateway.wait_metric('weir_limit_rejections_total{rule="in_flight"}', 1)
        release.set()
        self.assertEqual([call.getresponse().status for call in calls], [200, 200, 200])
        self.assertEqual(len(server.requests), 3)
        wait_for(lambda: self.saturation(gateway, 'in_flight', 'queue') == (0, 0), 'all places to be free')
        self.assertGreater(self.saturation(gateway, 'connections')[0], 0)
        self.assertGreater(self.saturation(gateway, 'memory')[0], 0)
        self.assertEqual(self.saturation(gateway, 'body_bytes', 'tokens'), (0, 0))
        self.assertGreater(self.saturation(gateway, 'journal')[0], 0)

    def test_a_wait_has_an_end(self):
        release, server, gateway = self.held(calls=1, queue=5, wait='50ms')
        first = self.begin(gateway)
        wait_for(lambda: self.saturation(gateway, 'in_flight') == (1,), 'the call to be there')
        status, headers, answer = self.ask(gateway)
        self.assertEqual((status, answer['error']['code']), (503, 'overloaded'))
        self.assertEqual(headers['retry-after'], '1')
        release.set()
        self.assertEqual(first.getresponse().status, 200)
        self.assertEqual(len(server.requests), 1)

    def test_who_leaves_leaves_the_queue_and_a_reload_makes_room(self):
        release, server, gateway = self.held(calls=1, queue=5, wait='1h')
        calls = []
        for expected in ((1, 0), (1, 0.2), (1, 0.4)):
            calls.append(self.begin(gateway))
            wait_for(lambda: self.saturation(gateway, 'in_flight', 'queue') == expected, 'the call to be there')
        calls.pop().close()
        wait_for(lambda: self.saturation(gateway, 'queue') == (0.2,), 'one to leave')
        written = json.loads(gateway.config_file.read_text())
        written['limits']['in_flight']['calls'] = 4
        gateway.config_file.write_text(json.dumps(written))
        self.assertEqual(gateway.admin('POST', '/reload')[1]['result'], 'in_force')
        wait_for(lambda: self.saturation(gateway, 'in_flight', 'queue') == (0.5, 0), 'nobody to wait')
        release.set()
        self.assertEqual([call.getresponse().status for call in calls], [200, 200])


class KeepAlive(Case):
    def test_a_client_that_waits_is_told_and_the_stream_is_whole(self):
        release = threading.Event()
        server = self.scripted(Held(release))
        gateway = self.gateway(provider(server.port, 'p'), models=to('p'), stream={'keepalive': '50ms'})
        stream = gateway.open_stream(model='m')
        self.addCleanup(stream.close)
        first = stream.read_until(b': keepalive\n\n')
        release.set()
        rest = first + stream.read_all()
        self.assertEqual(rest.count(b'"hi"'), 1)
        self.assertIn(b'[DONE]', rest)

    def test_the_next_attempt_is_still_made(self):
        release = threading.Event()
        first = self.scripted(Held(release, SSE_HEAD + b'Connection: close\r\n\r\n'))
        good = self.scripted(GOOD_STREAM)
        gateway = self.gateway(provider(first.port, 'first'), provider(good.port, 'good'), stream={'keepalive': '50ms'},
                               models=to('first', fallback=[{'provider': 'good', 'model': 'x'}]))
        stream = gateway.open_stream(model='m')
        self.addCleanup(stream.close)
        text = stream.read_until(b': keepalive\n\n')
        release.set()
        text += stream.read_all()
        self.assertEqual(text.count(b'"hi"'), 1)
        self.assertNotIn(b'error', text)

    def test_a_failure_of_the_last_attempt_is_an_event(self):
        release = threading.Event()
        server = self.scripted(Held(release, BUSY))
        gateway = self.gateway(provider(server.port, 'p'), models=to('p', retry={'attempts': 1}), stream={'keepalive': '50ms'})
        stream = gateway.open_stream(model='m')
        self.addCleanup(stream.close)
        text = stream.read_until(b': keepalive\n\n')
        release.set()
        text += stream.read_all()
        self.assertIn(b'upstream_error', text)
        self.assertNotIn(b'[DONE]', text)


class Held:
    """A script whose only part comes when it is released."""

    def __init__(self, release, answer=GOOD_STREAM):
        self.release, self.answer = release, answer

    def __iter__(self):
        self.release.wait()
        yield self.answer


class ByHand(Case):
    def test_a_drained_target_gets_no_new_calls(self):
        one, two = self.scripted(GOOD_ANSWER), self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(one.port, 'one'), provider(two.port, 'two'), models=to('one', 'two'))
        path = '/router/models/m'
        self.assertEqual(gateway.admin('PUT', path, {'targets': [{'provider': 'one', 'service': 'drained'}]})[0], 200)
        for _ in range(20):
            self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (0, 20))
        gateway.admin('PUT', path, {'targets': [{'provider': 'one', 'service': 'on'}, {'provider': 'two', 'weight': 0}]})
        for _ in range(20):
            self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (20, 20))

    def test_another_strategy_holds_until_it_is_given_back(self):
        one, two = self.scripted(GOOD_ANSWER), self.scripted(GOOD_ANSWER)
        gateway = self.gateway(provider(one.port, 'one'), provider(two.port, 'two'), models=to(
            targets=[{'provider': 'one', 'model': 'x', 'weight': 1000000, 'tier': 1}, {'provider': 'two', 'model': 'x', 'weight': 1}]))
        path = '/router/models/m'
        status, said = gateway.admin('PUT', path, {'strategy': 'priority'})
        self.assertEqual((status, said['strategy'], said['configured_strategy']), (200, 'priority', 'weighted'))
        for _ in range(20):
            self.assertEqual(self.ask(gateway)[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (0, 20))
        gateway.admin('PUT', path, {'strategy': None})
        for _ in range(20):
            self.assertEqual(self.ask(gateway)[0], 200)
        self.assertGreater(len(one.requests), 0)
        self.assertIn('router.strategy_changed', gateway.stderr())


if __name__ == '__main__':
    unittest.main()
