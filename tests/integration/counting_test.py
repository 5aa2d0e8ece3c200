"""How large a call would be: asked of the provider's own counter, in its dialect, from any client's."""
import json
import unittest

from harness import Gateway, config, provider, simulator
from scripted import JSON_HEAD, Scripted

QUESTION = 'What does a weir do?'
SCHEMA = {'type': 'object', 'properties': {'city': {'type': 'string'}}}
COUNT = 4711
# What each family's counter answers, where it is, and what of a request it takes.
FAMILIES = {
    'openai': ('openai', '/v1', '/v1/responses/input_tokens', {'object': 'response.input_tokens', 'input_tokens': COUNT},
               {'model', 'input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'reasoning', 'text', 'truncation'}),
    'anthropic': ('anthropic', '', '/v1/messages/count_tokens', {'input_tokens': COUNT},
                  {'model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'cache_control'}),
    'gemini': ('gemini', '', '/v1beta/models/gemini-2.5-flash:countTokens', {'totalTokens': COUNT}, {'generateContentRequest'}),
}
MODELS = {'openai': 'gpt-5-mini', 'anthropic': 'claude-sonnet-4-5', 'gemini': 'gemini-2.5-flash'}


def questions(model):
    """The same question of each client, with a tool: path, body, and the name of the count."""
    return {
        'anthropic': ('/v1/messages/count_tokens', {
            'model': model, 'system': 'Be brief.', 'messages': [{'role': 'user', 'content': QUESTION}],
            'tools': [{'name': 'get_weather', 'input_schema': SCHEMA}]}, 'input_tokens'),
        'gemini': (f'/v1beta/models/{model}:countTokens', {'generateContentRequest': {
            'model': f'models/{model}', 'contents': [{'role': 'user', 'parts': [{'text': QUESTION}]}],
            'systemInstruction': {'parts': [{'text': 'Be brief.'}]},
            'tools': [{'functionDeclarations': [{'name': 'get_weather', 'parametersJsonSchema': SCHEMA}]}],
            'generationConfig': {'temperature': 0.5, 'maxOutputTokens': 99}}}, 'totalTokens'),
        'responses': ('/v1/responses/input_tokens', {
            'model': model, 'instructions': 'Be brief.', 'input': QUESTION,
            'tools': [{'type': 'function', 'name': 'get_weather', 'parameters': SCHEMA}]}, 'input_tokens'),
    }


def answer_of(body):
    text = json.dumps(body).encode()
    return JSON_HEAD + b'Content-Length: %d\r\n\r\n%s' % (len(text), text)


class Counting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.counter, cls.simulator = Scripted(), simulator()
        kinds = {**{name: (kind, base) for name, (kind, base, *_) in FAMILIES.items()}, 'chat': ('openai_compatible', '/v1')}
        providers = [provider(port, f'{prefix}{name}', kind=kind, api_key='k', base_url=f'http://127.0.0.1:{port}{base}')
                     for prefix, port in (('', cls.counter.port), ('sim-', cls.simulator.port))
                     for name, (kind, base) in kinds.items()]
        models = [{'name': one['name'], 'targets': [{
            'provider': one['name'], 'model': MODELS.get(one['name'].removeprefix('sim-'), 'gpt-4o')}]} for one in providers]
        cls.gateway = Gateway(config(providers, models=models)).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()
        cls.counter.close()

    def count(self, client, model, **more):
        path, body, word = questions(model)[client]
        status, headers, text = self.gateway.call('POST', path, {**body, **more})
        self.assertEqual(status, 200, text)
        return headers, json.loads(text)[word]

    def test_the_providers_counter_is_asked_in_its_words(self):
        for family, (_, _, path, answer, takes) in FAMILIES.items():
            for client in questions(''):
                with self.subTest(client=client, family=family):
                    self.counter.script = answer_of(answer)
                    headers, count = self.count(client, family)
                    self.assertEqual(count, COUNT)
                    head, body = self.counter.requests.pop()
                    self.assertEqual(head.split(b' ')[1].decode(), path)
                    asked = json.loads(body)
                    self.assertLessEqual(set(asked), takes)
                    for words in (QUESTION, 'Be brief.', 'get_weather', MODELS[family]):
                        self.assertIn(words, body.decode())
                    row = self.gateway.usage_of(headers['x-request-id'])
                    self.assertEqual((row['code'], row['input_tokens'], row['output_tokens']), ('ok', 0, 0))

    def test_where_there_is_no_counter_it_is_counted_here(self):
        self.counter.script = answer_of({'error': 'must not be asked'})
        asked = len(self.counter.requests)
        here = {self.count(client, 'chat')[1] for client in questions('')}
        self.assertEqual((len(here), len(self.counter.requests)), (1, asked))
        # A server that speaks the dialect and lacks this path.
        self.counter.script = b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
        for family in FAMILIES:
            for client in questions(''):
                with self.subTest(client=client, family=family):
                    headers, count = self.count(client, family)
                    self.assertTrue(0 < count < COUNT)
                    row = self.gateway.usage_of(headers['x-request-id'])
                    self.assertEqual((row['status'], row['input_tokens']), (200, 0))

    def test_the_simulator_counts_the_same_in_all_forms(self):
        counts = {(family, client): self.count(client, f'sim-{family}')[1]
                  for family in FAMILIES for client in questions('')}
        self.assertEqual(len(set(counts.values())), 1, counts)

    def test_failures_of_a_counter_are_failures(self):
        self.counter.script = answer_of({'nothing': 1})
        for family in FAMILIES:
            for client in questions(''):
                if (client, family) in {('anthropic', 'anthropic'), ('gemini', 'gemini'), ('responses', 'openai')}:
                    continue  # passes as it came
                path, body, _ = questions(family)[client]
                self.assertEqual(self.gateway.call('POST', path, body)[0], 502, (client, family))
        status, _, text = self.gateway.call('POST', '/v1/responses/input_tokens', {
            'model': 'openai', 'previous_response_id': 'resp_of_nobody'})
        self.assertEqual(status, 404, text)


if __name__ == '__main__':
    unittest.main()
