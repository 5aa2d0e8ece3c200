"""What a provider keeps: stored responses are found again by their ids, and by nobody else."""
import json
import unittest

from harness import Gateway, config, provider, simulator

QUESTION = 'What does a weir do?'


def keeper(port, name):
    return provider(port, name, kind='openai_responses', base_url=f'http://127.0.0.1:{port}/v1')


class Kept(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.one, cls.other = simulator(), simulator('--seed', '2')
        providers = [keeper(cls.one.port, 'one'), keeper(cls.other.port, 'other'), provider(cls.one.port, 'chat')]
        models = [{'name': name, 'targets': [{'provider': name, 'model': 'sim-small'}]}
                  for name in ('one', 'other', 'chat')]
        cls.configuration = config(providers, models=models)
        cls.gateway = Gateway(cls.configuration).wait_ready()

    @classmethod
    def tearDownClass(cls):
        for process in (cls.gateway, cls.one, cls.other):
            process.close()

    def respond(self, gateway=None, **fields):
        body = {'model': 'one', 'input': QUESTION, **fields}
        status, headers, text = (gateway or self.gateway).call('POST', '/v1/responses', body)
        return status, headers, text

    def make(self, **fields):
        status, _, text = self.respond(**fields)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def ask(self, method, path, gateway=None):
        status, _, text = (gateway or self.gateway).call(method, path)
        return status, json.loads(text)

    def test_a_response_is_fetched_continued_cancelled_and_deleted(self):
        made = self.make()
        status, fetched = self.ask('GET', f'/v1/responses/{made["id"]}')
        self.assertEqual((status, fetched['id'], fetched['output']), (200, made['id'], made['output']))
        self.make(previous_response_id=made['id'])
        self.assertEqual(self.ask('POST', f'/v1/responses/{made["id"]}/cancel')[0], 200)
        status, gone = self.ask('DELETE', f'/v1/responses/{made["id"]}')
        self.assertEqual((status, gone['deleted']), (200, True))
        status, error = self.ask('GET', f'/v1/responses/{made["id"]}')
        self.assertEqual((status, error['error']['code']), (404, 'not_found'))
        self.assertEqual(self.respond(previous_response_id=made['id'])[0], 404)

    def test_an_id_of_a_stream_is_kept_too(self):
        status, _, text = self.respond(stream=True)
        self.assertEqual(status, 200)
        first = next(line for line in text.decode().splitlines() if line.startswith('data: '))
        made = json.loads(first[6:])['response']['id']
        self.assertEqual(self.ask('GET', f'/v1/responses/{made}')[0], 200)

    def test_what_nobody_made_is_not_there(self):
        for method, path in (('GET', '/v1/responses/resp_of_nobody'), ('DELETE', '/v1/responses/resp_of_nobody'),
                             ('POST', '/v1/responses/resp_of_nobody/cancel')):
            status, error = self.ask(method, path)
            self.assertEqual((status, error['error']['code']), (404, 'not_found'), path)
        self.assertEqual(self.respond(previous_response_id='resp_of_nobody')[0], 404)

    def test_an_id_leads_to_the_provider_that_made_it_and_to_no_other(self):
        made = self.make()
        status, _, text = self.respond(model='other', previous_response_id=made['id'])
        self.assertEqual((status, json.loads(text)['error']['param']), (400, 'model'))
        status, _, text = self.respond(model='chat', previous_response_id=made['id'])
        self.assertEqual((status, json.loads(text)['error']['param'] in ('model', 'previous_response_id')), (400, True))

    def test_ids_outlive_the_process(self):
        data = self.gateway.config_folder / 'outliving'
        with Gateway(self.configuration, data=data) as first:
            first.wait_ready()
            status, headers, text = self.respond(first)
            self.assertEqual(status, 200)
            made = json.loads(text)['id']
            first.usage_of(headers['x-request-id'])  # the row is drained, and with it what came before
            first.kill()
            first.wait()
        with Gateway(self.configuration, data=data) as second:
            second.wait_ready()
            self.assertEqual(self.ask('GET', f'/v1/responses/{made}', second)[0], 200)


if __name__ == '__main__':
    unittest.main()
