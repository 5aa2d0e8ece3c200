"""What a model may think beyond the client's own limit: sent, and held for."""
import json
import unittest

from harness import Gateway, config, provider
from scripted import JSON_HEAD, Scripted

ANSWER = json.dumps({
    'id': 'msg_1', 'type': 'message', 'role': 'assistant', 'model': 'c', 'content': [{'type': 'text', 'text': 'hi'}],
    'stop_reason': 'end_turn', 'usage': {'input_tokens': 3, 'output_tokens': 5}}).encode()
CLAUDE = 'claude-sonnet-4-5'
LIMIT = 2000


class Thinking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripted = Scripted()
        cls.scripted.script = JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(ANSWER), ANSWER)
        claude = provider(cls.scripted.port, 'claude', kind='anthropic', api_key='k',
                          base_url=f'http://127.0.0.1:{cls.scripted.port}')
        models = [{'name': name, 'targets': [{'provider': 'claude', 'model': CLAUDE}], **more}
                  for name, more in (('usual', {}), ('tight', {'effort_budgets': {'low': 1500, 'high': 3000}}))]
        cls.gateway = Gateway(config([claude], models=models)).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.scripted.close()

    def ask(self, model, **fields):
        """What was sent to the provider, and the tokens that were held."""
        status, headers, answer = self.gateway.chat(model=model, max_completion_tokens=LIMIT, **fields)
        self.assertEqual(status, 200, answer)
        sent = json.loads(self.scripted.requests.pop()[1])
        return sent, self.gateway.usage_of(headers['x-request-id'])['hold_tokens']

    def test_the_hold_knows_the_budget(self):
        sent, plain_hold = self.ask('usual')
        self.assertEqual((sent['max_tokens'], 'thinking' in sent), (LIMIT, False))
        for effort in ('low', 'medium', 'high'):
            sent, hold = self.ask('usual', reasoning_effort=effort)
            budget = sent['thinking']['budget_tokens']
            self.assertEqual(sent['max_tokens'], LIMIT + budget)
            # The rest is the body, of which each three bytes are a token.
            self.assertGreaterEqual(hold, plain_hold + budget)
            self.assertLess(hold, plain_hold + budget + 20)

    def test_an_effort_means_what_the_operator_says(self):
        for effort, budget in (('low', 1500), ('high', 3000)):
            sent, _ = self.ask('tight', reasoning_effort=effort)
            self.assertEqual((sent['thinking']['budget_tokens'], sent['max_tokens']), (budget, LIMIT + budget))
        # What the operator does not name is as usual.
        usual, _ = self.ask('usual', reasoning_effort='medium')
        tight, _ = self.ask('tight', reasoning_effort='medium')
        self.assertEqual(usual['thinking'], tight['thinking'])

    def test_a_cap_is_not_passed(self):
        sent, hold = self.ask('usual', reasoning={'max_tokens': 10_000_000})
        self.assertLessEqual(sent['max_tokens'], 64_000)
        self.assertGreaterEqual(hold, sent['max_tokens'])


if __name__ == '__main__':
    unittest.main()
