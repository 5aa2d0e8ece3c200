"""What a call costs in the tier that the provider says it was served in: whole and streamed, passed and translated."""
import json
import unittest

from harness import Gateway, config, provider
from scripted import JSON_HEAD, SSE_HEAD, Scripted

# Of a million tokens: the call below costs 1 + 2 in the standard tier, half of it in flex, twice in priority.
PRICE = {'input': '1 USD', 'output': '2 USD', 'flex': '50%', 'priority': '200%'}
USAGE = {'prompt_tokens': 1_000_000, 'completion_tokens': 1_000_000}
COST = {'flex': '1.50', 'priority': '6.00', 'default': '3.00'}


def whole(tier):
    body = json.dumps({'id': 'x', 'object': 'chat.completion', 'created': 1, 'model': 'm', 'choices': [
        {'index': 0, 'message': {'role': 'assistant', 'content': 'hi'}, 'finish_reason': 'stop'}],
        'usage': USAGE, **({'service_tier': tier} if tier else {})}).encode()
    return JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(body), body)


def stream(tier):
    chunk = {'id': 'x', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm',
             **({'service_tier': tier} if tier else {})}
    said = {**chunk, 'choices': [{'index': 0, 'delta': {'content': 'hi'}, 'finish_reason': 'stop'}]}
    used = {**chunk, 'choices': [], 'usage': USAGE}
    return SSE_HEAD + b'\r\n' + b''.join(
        b'data: %s\n\n' % (line if isinstance(line, bytes) else json.dumps(line).encode())
        for line in (said, used, b'[DONE]'))


class Tier(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripted = Scripted()
        cls.gateway = Gateway(config([provider(cls.scripted.port)], models=[
            {'name': 'm', 'targets': [{'provider': 'sim', 'model': 'm'}], 'price': PRICE}])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.scripted.close()

    def row(self, path, body, script):
        self.scripted.script = script
        status, headers, text = self.gateway.call('POST', path, {'model': 'm', **body})
        self.assertEqual(status, 200, text)
        return self.gateway.usage_of(headers['x-request-id'])

    def test_the_answer_says_what_it_costs(self):
        messages = [{'role': 'user', 'content': 'hi'}]
        ways = (('passed', '/v1/chat/completions', {'messages': messages}),
                ('translated', '/v1/messages', {'messages': messages, 'max_tokens': 5}))
        for name, path, body in ways:
            for tier, cost in COST.items():
                with self.subTest(way=name, tier=tier):
                    self.assertEqual(self.row(path, body, whole(tier))['cost_usd'], cost)
                    self.assertEqual(self.row(path, {**body, 'stream': True}, stream(tier))['cost_usd'], cost)

    def test_a_wish_makes_no_call_cheaper(self):
        def cost(asked, served):
            body = {'messages': [{'role': 'user', 'content': 'hi'}], 'service_tier': asked}
            return self.row('/v1/chat/completions', body, whole(served))['cost_usd']
        self.assertEqual(cost('flex', None), '3.00')
        self.assertEqual(cost('priority', None), '6.00')
        self.assertEqual(cost('priority', 'default'), '3.00')  # demoted: the answer knows
        self.assertEqual(cost('flex', 'flex'), '1.50')


if __name__ == '__main__':
    unittest.main()
