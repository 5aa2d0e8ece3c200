"""OpenAI's embeddings at a provider that has Gemini's form of them."""
import base64
import json
import struct
import unittest

from harness import Gateway, config, provider, simulator
from scripted import JSON_HEAD, Scripted

PRICE = {'input': '1 USD', 'output': '0 USD'}


def google(port, name):
    return provider(port, name, kind='gemini', api_key='k', base_url=f'http://127.0.0.1:{port}')


def sized(body):
    return b'Content-Length: %d\r\n\r\n%s' % (len(body), body)


class Embeddings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator, cls.scripted = simulator(), Scripted()
        providers = [provider(cls.simulator.port), google(cls.simulator.port, 'google'),
                     google(cls.scripted.port, 'scripted')]
        models = [{'name': name, 'targets': [{'provider': target, 'model': 'gemini-embedding-001'}], 'price': PRICE}
                  for name, target in (('plain', 'sim'), ('vectors', 'google'), ('scripted', 'scripted'))]
        cls.gateway = Gateway(config(providers, models=models)).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()
        cls.scripted.close()

    def embed(self, model, **fields):
        status, headers, text = self.gateway.call('POST', '/v1/embeddings', {'model': model, **fields})
        return status, headers, json.loads(text)

    def test_vectors_are_those_of_the_provider(self):
        for request in ({'input': 'a weir'}, {'input': ['a', 'b', 'c'], 'dimensions': 16}):
            _, _, wanted = self.embed('plain', **request)
            status, headers, got = self.embed('vectors', **request)
            self.assertEqual((status, got['data'], got['usage']), (200, wanted['data'], wanted['usage']))
            self.assertEqual((got['object'], got['model']), ('list', 'vectors'))
            row = self.gateway.usage_of(headers['x-request-id'])
            self.assertEqual((row['surface'], row['input_tokens'], row['output_tokens'], row['estimated']),
                             ('embeddings', wanted['usage']['prompt_tokens'], 0, False))
            self.assertEqual(float(row['cost_usd']), wanted['usage']['prompt_tokens'] / 1e6)

    def test_vectors_as_base64(self):
        request = {'input': ['a', 'b'], 'dimensions': 16}
        _, _, numbers = self.embed('vectors', **request)
        _, _, packed = self.embed('vectors', **request, encoding_format='base64')
        for plain, one in zip(numbers['data'], packed['data'], strict=True):
            self.assertEqual(struct.unpack('<16f', base64.b64decode(one['embedding'])),
                             struct.unpack('<16f', struct.pack('<16f', *plain['embedding'])))

    def test_what_the_provider_is_asked_and_what_it_does_not_count(self):
        self.scripted.script = JSON_HEAD + sized(b'{"embeddings":[{"values":[0.5]}]}')
        status, headers, got = self.embed('scripted', input=['a'], user='u')
        self.assertEqual((status, got['data'][0]['embedding'], headers['x-weir-dropped']), (200, [0.5], 'user'))
        head, body = self.scripted.requests.pop()
        self.assertTrue(head.startswith(b'POST /v1beta/models/gemini-embedding-001:batchEmbedContents HTTP/1.1'), head)
        self.assertEqual(json.loads(body), {'requests': [
            {'model': 'models/gemini-embedding-001', 'content': {'parts': [{'text': 'a'}]}}]})
        self.assertTrue(self.gateway.usage_of(headers['x-request-id'])['estimated'])

    def test_failures_have_their_names(self):
        for answer, code in ((b'{"embeddings":[]}', 'upstream_invalid_response'),
                             (b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}', 'rate_limited')):
            self.scripted.script = JSON_HEAD + sized(answer)
            self.assertEqual(self.embed('scripted', input='a')[2]['error']['code'], code)
        status, _, error = self.embed('vectors', input=[1, 2])
        self.assertEqual((status, error['error']['param']), (400, 'input[0]'))


if __name__ == '__main__':
    unittest.main()
