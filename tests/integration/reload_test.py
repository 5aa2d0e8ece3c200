"""The configuration changes while calls run: by SIGHUP, by the file, by the API; a bad one changes nothing."""
import contextlib
import json
import os
import signal
import subprocess
import threading
import unittest

from harness import ADMIN_KEY, WEIR, Gateway, config, provider, simulator, wait_for
from scripted import GOOD, JSON_HEAD, Scripted

GOOD_ANSWER = JSON_HEAD + b'Content-Length: %d\r\nConnection: close\r\n\r\n' % len(GOOD) + GOOD


def model(name, *providers, **more):
    return {'name': name, 'targets': [{'provider': one, 'model': 'x'} for one in providers], 'retry': {'attempts': 1}, **more}


class Reload(unittest.TestCase):
    def setUp(self):
        self.upstream = simulator()
        self.addCleanup(self.upstream.close)
        # The file says where it listens, so that a reload finds nothing there that has changed.
        self.gateway = Gateway(self.text(model('m', 'p')))
        self.addCleanup(self.gateway.close)
        self.gateway.wait_ready()

    def text(self, *models, **sections):
        providers = sections.pop('providers', None) or [provider(self.upstream.port, 'p')]
        return config(providers, models=list(models), **sections)

    def write(self, text):
        # As configuration maps are replaced: at once.
        part = self.gateway.config_folder / 'weir.yaml.part'
        part.write_text(text)
        os.replace(part, self.gateway.config_file)

    def models(self):
        _, _, body = self.gateway.call('GET', '/v1/models')
        return [one['id'] for one in json.loads(body)['data']]

    def test_by_the_api(self):
        self.write(self.text(model('m', 'p'), model('n', 'p')))
        status, answer = self.gateway.admin('POST', '/reload')
        self.assertEqual((status, answer['result'], answer['needs_restart']), (200, 'in_force', []))
        self.assertEqual(self.models(), ['m', 'n'])
        self.assertEqual(self.gateway.chat(model='n')[0], 200)
        self.write(self.text(model('n', 'p')))
        self.gateway.admin('POST', '/reload')
        self.assertEqual(self.gateway.chat(model='m')[0], 404)

    def test_by_a_signal(self):
        self.write(self.text(model('n', 'p')))
        self.gateway.kill(signal.SIGHUP)
        wait_for(lambda: self.models() == ['n'], 'the reload')

    def test_by_the_file_alone(self):
        self.write(self.text(model('n', 'p')))
        wait_for(lambda: self.models() == ['n'], 'the reload')

    def test_by_the_command(self):
        self.write(self.text(model('n', 'p'), server={'threads': 1}))
        command = [WEIR, 'reload', '--url', f'http://{self.gateway.host}:{self.gateway.port}']
        done = subprocess.run(command, env={**os.environ, 'WEIR_ADMIN_KEY': ADMIN_KEY}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('in force', done.stdout)
        self.assertIn('server.threads changed: that needs a restart', done.stdout)
        self.write('models: 7\n')
        done = subprocess.run(command, env={**os.environ, 'WEIR_ADMIN_KEY': ADMIN_KEY}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('weir.yaml:1: models', done.stderr)

    def test_a_bad_file_is_refused_whole_with_every_error(self):
        self.write(self.text(model('n', 'nobody'), model('o', 'noone')))
        status, answer = self.gateway.admin('POST', '/reload')
        self.assertEqual((status, answer['result']), (400, 'refused'))
        self.assertEqual(len(answer['errors']), 2, answer)
        self.assertEqual(self.models(), ['m'])
        self.assertEqual(self.gateway.chat(model='m')[0], 200)
        self.assertGreaterEqual(self.gateway.metrics()['weir_reload_total{result="refused"}'], 1)

    def test_a_running_call_ends_with_what_it_began_with(self):
        stream = self.gateway.open_stream({'x-sim': 'after=3;stall=1s'}, model='m')
        self.addCleanup(stream.close)
        stream.first()
        self.write(self.text(model('n', 'p')))
        self.assertEqual(self.gateway.admin('POST', '/reload')[0], 200)
        self.assertEqual(self.gateway.chat(model='m')[0], 404)
        self.assertEqual(list(stream.events())[-1], '[DONE]')
        self.assertEqual(self.gateway.usage_of(stream.request_id)['model'], 'm')

    def test_breakers_and_counters_survive(self):
        dead = Scripted()
        self.addCleanup(dead.close)
        dead.script = b'HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
        providers = [provider(dead.port, 'p', breaker={'open': '1h'})]
        self.write(self.text(model('m', 'p'), providers=providers))
        self.gateway.admin('POST', '/reload')
        for _ in range(5):
            self.assertEqual(self.gateway.chat(model='m')[0], 502)
        before = self.gateway.metrics()
        self.write(self.text(model('m', 'p'), model('n', 'p'), providers=providers))
        self.gateway.admin('POST', '/reload')
        for name in ('m', 'n'):
            self.assertEqual(self.gateway.chat(model=name)[0], 503, name)
        self.assertEqual(len(dead.requests), 5)
        after = self.gateway.metrics()
        self.assertEqual(after['weir_breaker_state{provider="p",model="x"}'], 2)
        attempts = 'weir_attempts_total{provider="p",outcome="upstream_error"}'
        self.assertEqual(after[attempts], before[attempts])

    def test_many_reloads_under_load_fail_no_call(self):
        texts = [self.text(model('m', 'p'), model(f'n{i}', 'p', price={'input': f'{i + 1} USD', 'output': '1 USD'}))
                 for i in range(4)]
        stopped = threading.Event()
        failed, calls = [], [0] * 4

        def call(index):
            while not stopped.is_set():
                try:
                    status = self.gateway.chat(model='m', stream=index % 2 == 0)[0]
                except OSError as error:
                    status = error
                calls[index] += 1
                if status != 200:
                    failed.append(status)
                    return
        crowd = [threading.Thread(target=call, args=(i,)) for i in range(4)]
        for one in crowd:
            one.start()
        for i in range(int(os.environ.get('WEIR_RELOADS', '60'))):
            self.write(texts[i % len(texts)])
            status, answer = self.gateway.admin('POST', '/reload')
            self.assertEqual(status, 200, answer)
        wait_for(lambda: min(calls) > 0, 'a call of each')
        stopped.set()
        for one in crowd:
            one.join()
        self.assertEqual(failed, [])


class Chaos(unittest.TestCase):
    def gateway(self, *rules, **more):
        upstream = simulator('--tps', '500')  # in pieces
        self.addCleanup(upstream.close)
        gateway = Gateway(config([provider(upstream.port, 'p')], models=[model('m', 'p', **more)],
                                 chaos={'enabled': True, 'rules': list(rules)}))
        self.addCleanup(gateway.close)
        return gateway.wait_ready()

    def test_only_calls_that_match_suffer_and_are_marked(self):
        gateway = self.gateway({'name': 'busy', 'match': {'header': 'x-chaos: busy'}, 'status': 503},
                               {'name': 'gone', 'match': {'header': 'x-chaos: gone'}, 'reset': True},
                               {'name': 'slow', 'match': {'header': 'x-chaos: slow'}, 'latency': '50ms'})
        status, headers, _ = gateway.chat(model='m')
        self.assertEqual(status, 200)
        self.assertNotIn('x-weir-chaos', headers)
        for name, expected in (('busy', 502), ('gone', 503), ('slow', 200)):
            status, headers, _ = gateway.chat({'x-chaos': name}, model='m')
            self.assertEqual((status, headers['x-weir-chaos']), (expected, name))
            gateway.wait_metric(f'weir_chaos_total{{rule="{name}"}}', 1)

    def test_a_retry_may_be_luckier(self):
        gateway = self.gateway({'name': 'half', 'percent': '50%', 'status': 503}, retry={'attempts': 8, 'backoff_min': '1ms', 'backoff_max': '1ms'})
        seen = {gateway.chat(model='m')[1].get('x-weir-chaos') for _ in range(20)}
        self.assertIn('half', seen)

    def test_a_stream_is_cut_corrupted_or_slow(self):
        gateway = self.gateway({'name': 'cut', 'match': {'header': 'x-chaos: cut'}, 'cut_after': 2},
                               {'name': 'corrupt', 'match': {'header': 'x-chaos: corrupt'}, 'corrupt': True},
                               {'name': 'slow', 'match': {'header': 'x-chaos: slow'}, 'slow_chunks': '5ms'})
        status, headers, text = gateway.chat({'x-chaos': 'slow'}, model='m', stream=True)
        self.assertEqual((status, headers['x-weir-chaos']), (200, 'slow'))
        self.assertTrue(text.rstrip().endswith(b'[DONE]'))
        for name in ('cut', 'corrupt'):
            status, headers, text = gateway.chat({'x-chaos': name}, model='m', stream=True)
            self.assertEqual(headers['x-weir-chaos'], name)
            text = text if isinstance(text, bytes) else json.dumps(text).encode()
            self.assertNotIn(b'[DONE]', text)
            self.assertIn(b'upstream_invalid_response', text)


if __name__ == '__main__':
    unittest.main()
