"""Who may call, how often, and with what: keys, limits, guardrails, models; and what is counted of it."""
import json
import unittest

from harness import ADMIN_KEY, API_KEY, MESSAGES, Gateway, config, provider, simulator, stats, wait_for


class Admission(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator('--tps', '200')
        models = [{'name': name, 'aliases': [name + '-alias'], 'targets': [{'provider': 'sim', 'model': name}],
                   'price': {'input': '1 USD', 'output': '2 USD'}} for name in ('sim-small', 'sim-large', 'sim-embed')]
        cls.gateway = Gateway(config(
            [provider(cls.simulator.port), provider(cls.simulator.port, 'open', pass_through=True),
             {**provider(cls.simulator.port, 'sold', pass_through=True), 'kind': 'groq', 'api_key': 'k'}],
            models=models, default_model='sim-small')).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def make_key(self, **facts):
        status, key = self.gateway.admin('POST', '/keys', facts)
        self.assertEqual(status, 201, key)
        return key

    def refused(self, answer, status, code):
        got, headers, body = answer
        self.assertEqual((got, body['error']['code']), (status, code), body)
        self.assertRegex(headers['x-request-id'], r'^[0-9a-f]{8}-[0-9a-f-]{27}$')
        return headers

    def test_every_bad_key_gets_the_same_answer(self):
        expired = self.make_key(expires_at='2020-01-01T00:00:00Z')['key']
        revoked = self.make_key()
        self.assertEqual(self.gateway.chat(key=revoked['key'], max_tokens=1)[0], 200)
        self.assertEqual(self.gateway.admin('DELETE', '/keys/' + revoked['id'])[0], 200)
        answers = []
        for key in [None, 'nonsense', 'sk-weir-' + 'x' * 32, expired, revoked['key'], API_KEY + 'x', API_KEY[:-1]]:
            answer = self.gateway.chat(key=key, max_tokens=1)
            self.refused(answer, 401, 'invalid_api_key')
            answers.append(answer[2]['error'])
        self.assertEqual([a for a in answers if a != answers[0]], [])

    def test_the_key_may_stand_in_any_of_three_headers(self):
        for headers in [{'Authorization': f'bearer {API_KEY}'}, {'x-api-key': API_KEY}, {'api-key': API_KEY}]:
            self.assertEqual(self.gateway.chat(headers, key=None, max_tokens=1)[0], 200)

    def test_requests_per_minute_of_a_key(self):
        key = self.make_key(requests_per_minute=3)['key']
        headers = [self.gateway.chat(key=key, max_tokens=1) for _ in range(3)]
        self.assertEqual([h[0] for h in headers], [200] * 3)
        self.assertEqual([h[1]['x-ratelimit-remaining-requests'] for h in headers], ['2', '1', '0'])
        self.assertEqual(headers[0][1]['x-ratelimit-limit-requests'], '3')
        refused = self.refused(self.gateway.chat(key=key, max_tokens=1), 429, 'rate_limited')
        self.assertGreaterEqual(int(refused['retry-after']), 1)

    def test_what_weir_refuses_does_not_count_against_the_rate(self):
        key = self.make_key(requests_per_minute=2)['key']
        for _ in range(5):
            self.refused(self.gateway.chat(key=key, model='no-such'), 404, 'model_not_found')
        self.assertEqual(self.gateway.chat(key=key, max_tokens=1)[0], 200)

    def test_concurrency_of_a_key(self):
        made = self.make_key(concurrency_max=1)
        import harness
        original, harness.API_KEY = harness.API_KEY, made['key']
        try:
            stream = self.gateway.open_stream({'x-sim': 'after=1;stall=60s'}, max_tokens=100)
        finally:
            harness.API_KEY = original
        stream.first()
        self.refused(self.gateway.chat(key=made['key'], max_tokens=1), 429, 'concurrency_limited')
        stream.close()
        wait_for(lambda: self.gateway.chat(key=made['key'], max_tokens=1)[0] == 200, 'the slot to come free')

    def test_models_and_providers_of_a_key(self):
        key = self.make_key(allowed_models=['sim-small'], allowed_providers=['sim'])['key']
        self.assertEqual(self.gateway.chat(key=key, max_tokens=1)[0], 200)
        self.refused(self.gateway.chat(key=key, model='sim-large'), 403, 'model_not_allowed')
        self.refused(self.gateway.chat(key=key, model='open/sim-small'), 403, 'model_not_allowed')
        _, _, listed = self.gateway.call('GET', '/v1/models', key=key)
        self.assertEqual([m['id'] for m in json.loads(listed)['data']], ['sim-small'])

    def test_names_of_models(self):
        for asked, answered in [('sim-small', 'sim-small'), ('sim-small-alias', 'sim-small-alias'),
                                ('open/any-name', 'open/any-name')]:
            status, _, body = self.gateway.chat(model=asked, max_tokens=1)
            self.assertEqual((status, body['model']), (200, answered))
        status, _, text = self.gateway.call('POST', '/v1/chat/completions', {'messages': MESSAGES, 'max_tokens': 1})
        self.assertEqual((status, json.loads(text)['model']), (200, 'sim-small'))
        self.refused(self.gateway.chat(model='sim/sim-small'), 404, 'model_not_found')

    def test_what_a_client_writes_is_text_wherever_it_is_read_again(self):
        # Cut at any length, inside a character of any size; and bytes that never were text.
        for n in range(110, 132):
            for character in 'é€😀':
                name = 'open/' + 'x' * (n % 4) + character * n
                body = {'model': name, 'messages': MESSAGES, 'max_tokens': 1}
                status, _, text = self.gateway.call('POST', '/v1/chat/completions', body)
                self.assertEqual((status, json.loads(text.decode())['model']), (200, name))
                body['model'] = name.replace('open/', 'none/')
                status, _, text = self.gateway.call('POST', '/v1/chat/completions', body)
                self.assertEqual((status, json.loads(text.decode())['error']['code']), (404, 'model_not_found'))
        for name in ('open/\0', 'open/\x1b[31m', 'open/\n{"status":200}', 'open/\ud800'):
            self.assertEqual(self.gateway.chat(model=name, max_tokens=1)[0], 200)
        _, headers, _ = self.gateway.chat({'X-Request-Id': b'\xff\xc3'}, max_tokens=1)
        self.gateway.usage_of(headers['x-request-id'])
        for row in self.gateway.usage():
            self.assertEqual(row['model'].replace('\ufffd', '').encode().decode(), row['model'].replace('\ufffd', ''))
        wait_for(lambda: headers['x-request-id'].encode() in (self.gateway.folder / 'err').read_bytes(), 'the line')
        for line in (self.gateway.folder / 'err').read_bytes().split(b'\n')[:-1]:
            self.assertIn('time', json.loads(line.decode()))
        for query in ('%ff=1', 'model=%ff', 'model=%c3', 'limit=%ff', 'model=%ed%a0%80', 'model=%', 'model=%0'):
            status, _, text = self.gateway.call('GET', '/api/v1/usage?' + query, key=ADMIN_KEY)
            self.assertEqual((status, json.loads(text.decode())['error']['code']), (400, 'invalid_request'), query)

    def test_a_price_becomes_a_cost_on_the_answer_and_in_the_row(self):
        status, headers, body = self.gateway.chat(max_tokens=4)
        usage = body['usage']
        nano = usage['prompt_tokens'] * 1000 + usage['completion_tokens'] * 2000
        self.assertAlmostEqual(float(headers['x-weir-cost-usd']), nano / 1e9, places=12)
        row = self.gateway.usage_of(headers['x-request-id'])
        self.assertEqual(row['cost_usd'], headers['x-weir-cost-usd'])
        self.assertEqual(row['attempts'][0]['cost_usd'], row['cost_usd'])
        self.assertEqual((row['provider'], row['attempts'][0]['model']), ('sim', 'sim-small'))
        # Nobody knows a price of this kind of provider: null, not zero.
        _, headers, _ = self.gateway.chat(model='open/sim-small', max_tokens=1)
        self.assertNotIn('x-weir-cost-usd', headers)
        self.assertIsNone(self.gateway.usage_of(headers['x-request-id'])['cost_usd'])

    def test_without_a_price_of_ones_own_the_catalogs_holds(self):
        status, headers, body = self.gateway.chat(model='sold/llama-3.1-8b-instant', max_tokens=4)
        self.assertEqual(status, 200)
        usage = body['usage']
        nano = usage['prompt_tokens'] * 50 + usage['completion_tokens'] * 80
        self.assertAlmostEqual(float(headers['x-weir-cost-usd']), nano / 1e9, places=12)

    def test_usage_is_found_by_its_filters(self):
        made = self.make_key(name='counted')
        for _ in range(3):
            self.gateway.chat(key=made['key'], max_tokens=1, model='sim-large')
        path = f'/usage?key_id={made["id"]}&model=sim-large&code=ok'
        rows = wait_for(lambda: (lambda page: page['data'] if len(page['data']) == 3 else None)(
            self.gateway.admin('GET', path)[1]), 'three rows')
        self.assertEqual({row['key_id'] for row in rows}, {made['id']})
        status, body = self.gateway.admin('GET', '/usage?modle=x')
        self.assertEqual((status, body['error']['code']), (400, 'unknown_field'))
        status, body = self.gateway.admin('POST', '/keys', {'nam': 'x'})
        self.assertEqual((status, body['error']['code']), (400, 'unknown_field'))
        self.assertIn("did you mean 'name'?", body['error']['message'])

    def test_the_admin_api_takes_the_admin_key_only(self):
        for key in (None, API_KEY, 'x' * 40):
            status, _, _ = self.gateway.call('GET', '/api/v1/keys', key=key)
            self.assertEqual(status, 401)

    def test_metrics_count_what_happened(self):
        def value(name):
            return self.gateway.metrics().get(name, 0)
        good = 'weir_requests_total{surface="chat",model="sim-small",provider="sim",code="ok"}'
        bad = 'weir_requests_total{surface="chat",model="other",provider="none",code="model_not_found"}'
        before = value(good), value(bad), value('weir_errors_total{code="model_not_found",fault="client"}')
        self.gateway.chat(max_tokens=1)
        self.gateway.chat(model='no-such')
        # The metrics follow the answer.
        wait_for(lambda: (value(good), value(bad), value('weir_errors_total{code="model_not_found",fault="client"}')) ==
                 tuple(v + 1 for v in before), 'the counters')
        metrics = self.gateway.metrics()
        for name in ['weir_request_seconds_count', 'weir_ttft_seconds_count', 'weir_overhead_seconds_count']:
            self.assertTrue([key for key in metrics if key.startswith(name)], name)
        self.assertEqual([key for key in metrics if 'sk-weir' in key or '127.0.0.1' in key], [])

    def test_the_access_log_has_the_facts_and_no_words(self):
        _, headers, _ = self.gateway.chat({'X-Request-Id': 'from-the-client'}, max_tokens=2,
                                          messages=[{'role': 'user', 'content': 'a most private question'}])
        line = wait_for(lambda: [line for line in self.gateway.stderr().splitlines() if headers['x-request-id'] in line],
                        'the line')[0]
        record = json.loads(line)
        self.assertEqual((record['status'], record['model'], record['provider'], record['client_request_id']),
                         (200, 'sim-small', 'sim', 'from-the-client'))
        self.assertEqual(record['key'], API_KEY[:12])
        self.assertNotIn('private', self.gateway.stderr())
        self.assertNotIn(API_KEY, self.gateway.stderr())


class Limits(unittest.TestCase):
    def start(self, **sections):
        gateway = Gateway(config([provider(self.simulator.port)], **sections))
        self.addCleanup(gateway.close)
        return gateway.wait_ready()

    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator()

    @classmethod
    def tearDownClass(cls):
        cls.simulator.close()

    def test_requests_of_one_address(self):
        gateway = self.start(limits={'per_ip': {'requests': '3/h'}})
        answers = [gateway.chat(max_tokens=1)[0] for _ in range(5)]
        self.assertEqual(answers, [200, 200, 200, 429, 429])

    def test_a_trusted_proxy_tells_addresses_apart(self):
        gateway = self.start(limits={'per_ip': {'requests': '1/h'}}, server={'trusted_proxies': ['127.0.0.0/8']})
        self.assertEqual([gateway.chat({'X-Forwarded-For': a}, max_tokens=1)[0]
                          for a in ('203.0.113.1', '203.0.113.1', '203.0.113.2', '1.1.1.1, 203.0.113.2')],
                         [200, 429, 200, 429])

    def test_nobody_else_chooses_the_address_he_is_counted_by(self):
        gateway = self.start(limits={'per_ip': {'requests': '1/h'}}, server={'trusted_proxies': ['10.0.0.0/8']})
        self.assertEqual(gateway.chat(max_tokens=1)[0], 200)
        for field in ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP',
                      'X-Forwarded-Host', 'Via', 'X-User-Id', 'X-Tenant', 'x-weir-tenant']:
            for value in ['203.0.113.9', '10.0.0.1', '203.0.113.9, 10.0.0.1', '127.0.0.1', '::1', 'for=203.0.113.9', '2']:
                with self.subTest(field, value=value):
                    self.assertEqual(gateway.chat({field: value}, max_tokens=1)[0], 429)
        wait_for(lambda: gateway.stderr().count('"client_ip"') >= 78, 'the access log')
        records = [json.loads(line) for line in gateway.stderr().splitlines() if '"client_ip"' in line]
        self.assertEqual({record['client_ip'] for record in records}, {'127.0.0.1'})

    def test_guesses_are_throttled_and_good_keys_still_pass(self):
        gateway = self.start(limits={'guesses': '5/h'})
        self.assertEqual(gateway.chat(max_tokens=1)[0], 200)  # known from now on
        codes = [gateway.chat(key=f'sk-weir-{i:032}', max_tokens=1)[0] for i in range(8)]
        self.assertEqual(codes, [401] * 5 + [429] * 3)
        self.assertEqual(gateway.chat(max_tokens=1)[0], 200)

    def test_a_guesser_does_not_lock_out_the_admin_of_his_address(self):
        gateway = self.start(limits={'guesses': '3/h'})
        codes = [gateway.call('GET', '/api/v1/keys', key=f'wrong-{i}')[0] for i in range(5)]
        self.assertEqual(codes, [401] * 3 + [429] * 2)
        self.assertEqual(gateway.admin('GET', '/keys')[0], 200)

    def test_a_request_that_its_client_breaks_off_counts_against_the_rate(self):
        gateway = self.start(limits={'per_ip': {'requests': '2/h'}})
        with gateway.connect() as sock:
            sock.sendall(f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                         'Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n'.encode())
            # The body is asked for when the request has been counted: before that there is nothing to break off.
            self.assertTrue(sock.recv(1000).startswith(b'HTTP/1.1 100 '))
            sock.sendall(b'{')
        # Only when the gateway has noticed is there anything it could have given back.
        wait_for(lambda: gateway.metrics().get('weir_errors_total{code="cancelled",fault="client"}'), 'the call to end')
        self.assertEqual(gateway.chat(max_tokens=1)[0], 200)
        self.assertEqual(gateway.chat(max_tokens=1)[0], 429)

    def test_bodies_in_flight(self):
        gateway = self.start(limits={'max_in_flight_bytes': '4KiB'})
        self.assertEqual(gateway.chat(max_tokens=1)[0], 200)
        status, headers, body = gateway.chat(messages=[{'role': 'user', 'content': 'x' * 5000}])
        self.assertEqual((status, body['error']['code']), (503, 'overloaded'))
        self.assertIn('retry-after', headers)

    def test_no_authentication_on_loopback(self):
        gateway = self.start(auth={'mode': 'off'})
        self.assertEqual(gateway.chat(key=None, max_tokens=1)[0], 200)
        self.assertEqual(gateway.chat(key='anything', max_tokens=1)[0], 200)

    def test_optional_authentication(self):
        gateway = self.start(auth={'mode': 'optional'})
        self.assertEqual(gateway.chat(key=None, max_tokens=1)[0], 200)
        self.assertEqual(gateway.chat(key='sk-weir-' + 'x' * 32, max_tokens=1)[0], 401)

    def test_guardrails_end_plain_and_streamed_answers_alike(self):
        plain = self.start()
        _, _, free = plain.chat()
        words = free['choices'][0]['message']['content'].split()
        banned = ' '.join(words[5:7])
        kept = free['choices'][0]['message']['content'].split(banned)[0]
        gateway = self.start(guardrails={'output': {'banned_words': [banned.upper()]}})
        _, _, whole = gateway.chat()
        self.assertEqual(whole['choices'][0]['message']['content'], kept)
        self.assertEqual(whole['choices'][0]['finish_reason'], 'content_filter')
        stream = gateway.open_stream()
        text, reason = '', None
        for data in stream.events():
            if data != '[DONE]':
                choice = json.loads(data)['choices'][0]
                text += choice['delta'].get('content') or ''
                reason = choice['finish_reason'] or reason
        self.assertEqual((text, reason, data), (kept, 'content_filter', '[DONE]'))
        limited = self.start(guardrails={'output': {'max_length': 10}})
        _, _, whole = limited.chat()
        self.assertEqual(len(whole['choices'][0]['message']['content']), 10)
        self.assertEqual(whole['choices'][0]['finish_reason'], 'length')


if __name__ == '__main__':
    unittest.main()
