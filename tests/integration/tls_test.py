"""TLS on both sides: clients to Weir, Weir to its providers."""
import contextlib
import http.client
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import unittest

from harness import API_KEY, MESSAGES, Gateway, config, provider, simulator


def make_certificate(folder, name, alternative):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.crt', '-days', '2', '-subj', '/CN=weir-test',
                    '-addext', f'subjectAltName={alternative}'], check=True, capture_output=True)
    return folder / f'{name}.crt', folder / f'{name}.key'


class Tls(unittest.TestCase):
    """One gateway serves over TLS and stands on a simulator; a second one has the first as its provider."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-tls-'))
        cls.certificate, key = make_certificate(cls.folder, 'good', 'IP:127.0.0.1')
        cls.simulator = simulator()
        cls.inner = Gateway(config([provider(cls.simulator.port)],
                                   server={'tls': {'cert': str(cls.certificate), 'key': str(key)}})).wait_ready()
        other, _ = make_certificate(cls.folder, 'other', 'IP:127.0.0.1')
        wrong_name, wrong_key = make_certificate(cls.folder, 'wrong', 'DNS:elsewhere.example')
        cls.misnamed = Gateway(config([provider(cls.simulator.port)],
                                      server={'tls': {'cert': str(wrong_name), 'key': str(wrong_key)}})).wait_ready()
        providers = [
            {'name': name, 'kind': 'openai_compatible', 'base_url': f'https://127.0.0.1:{port}/v1', 'api_key': API_KEY,
             'ca_file': str(ca)}
            for name, port, ca in [('good', cls.inner.port, cls.certificate), ('untrusted', cls.inner.port, other),
                                   ('misnamed', cls.misnamed.port, wrong_name)]]
        cls.outer = Gateway(config(providers, models=[
            {'name': p['name'], 'targets': [{'provider': p['name'], 'model': 'sim-small'}]} for p in providers])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        for one in (cls.outer, cls.misnamed, cls.inner, cls.simulator):
            one.close()
        shutil.rmtree(cls.folder)

    def test_clients_are_served_over_tls(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection('127.0.0.1', self.inner.port, context=context)
        with contextlib.closing(connection):
            for stream in (False, True):
                body = json.dumps({'model': 'sim-small', 'messages': MESSAGES, 'stream': stream})
                connection.request('POST', '/v1/chat/completions', body,
                                   {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'})
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                text = answer.read()
                self.assertTrue(text.endswith(b'data: [DONE]\n\n') if stream else json.loads(text)['choices'])

    def test_old_protocols_are_refused(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            connection = http.client.HTTPSConnection('127.0.0.1', self.inner.port, context=context)
            with contextlib.closing(connection):
                connection.request('GET', '/v1/models')

    def test_plain_text_on_the_tls_port_is_no_answer(self):
        with self.inner.connect() as sock:
            sock.sendall(b'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n')
            self.assertNotIn(b'HTTP/1.1', sock.recv(4096))

    def test_a_provider_over_tls_answers_whole_and_in_streams(self):
        for _ in range(3):
            self.assertEqual(self.outer.chat(model='good')[0], 200)
        stream = self.outer.open_stream(model='good')
        self.assertEqual(list(stream.events())[-1], '[DONE]')
        large = 'x' * 300_000
        status, _, _ = self.outer.chat(model='good', messages=[{'role': 'user', 'content': large}])
        self.assertEqual(status, 200)

    def test_a_provider_that_cannot_prove_who_it_is_is_not_asked(self):
        for model in ('untrusted', 'misnamed'):
            with self.subTest(model):
                status, headers, body = self.outer.chat(model=model)
                self.assertEqual((status, body['error']['code']), (503, 'upstream_unavailable'))
                self.assertEqual(headers['x-weir-attempts'], '0')
                self.assertIn('certificate', self.outer.stderr())


if __name__ == '__main__':
    unittest.main()
