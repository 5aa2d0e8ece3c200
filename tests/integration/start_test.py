"""First start, second start, and every way a start can fail: RELIABILITY G."""
import json
import os
import pathlib
import shlex
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from harness import ADMIN_KEY, API_KEY, WEIR, Gateway, Process, config, provider, simulator, wait_for

EXIT_CONFIG = 78


def run(*arguments, environment=None, cwd=None):
    clean = {k: v for k, v in os.environ.items() if not k.endswith('_API_KEY') and not k.startswith('WEIR_')}
    return subprocess.run([WEIR, *arguments], capture_output=True, text=True, cwd=cwd, env={**clean, **(environment or {})})


# Every key there is, with a value it takes.
SAMPLE = {
    'server': {'listen': '127.0.0.1:0', 'operations': '127.0.0.1:0', 'threads': 2, 'trusted_proxies': ['10.0.0.0/8'],
               'tls': {'cert': 'a.pem', 'key': 'b.pem'}, 'drain': '30s'},
    'storage': {'url': 'sqlite:weir.db'}, 'ledger': {'max_bytes': '1GiB'}, 'log': {'access': 'off'},
    'auth': {'mode': 'required'}, 'default_model': 'chat',
    'providers': [{'name': 'gpu-1', 'kind': 'vllm', 'base_url': 'http://10.0.0.7:8000/v1', 'api_key': 'k',
                   'connections_max': 256, 'forward_headers': ['x-sim'], 'ca_file': 'ca.pem', 'pass_through': True}],
    'models': [{'name': 'chat', 'aliases': ['other'], 'max_output_tokens': 4096,
                'targets': [{'provider': 'gpu-1', 'model': 'm',
                             'price': {'input': '1 USD', 'output': '2 USD', 'cache_read': '0.1 USD', 'cache_write': '1 USD'}}],
                'price': {'input': '1 USD', 'output': '2 USD'}, 'strategy': 'conditional',
                'fallback': [{'provider': 'gpu-1', 'model': 'f'}], 'context_fallback': {'provider': 'gpu-1', 'model': 'l'},
                'rules': [{'when': {'model': 'other', 'key': 'k', 'tenant': 't', 'tag': 'g', 'prompt_tokens': {'min': 1, 'max': 9},
                                    'header': {'name': 'x-a', 'equals': 'v'}}, 'use': {'strategy': 'cost'}},
                          {'when': {'header': {'name': 'x-b', 'matches': '^v'}}, 'use': {'model': 'two'}}],
                'retry': {'attempts': 3, 'budget': '20%', 'backoff_min': '100ms', 'backoff_max': '2s'}, 'sticky': 'user',
                'timeouts': {'connect': '2s', 'first_token': '20s', 'idle': '30s', 'total': '10m'}},
               {'name': 'two', 'strategy': 'priority',
                'targets': [{'provider': 'gpu-1', 'model': 'm', 'weight': 2, 'tier': 1, 'disabled': False},
                            {'strategy': 'latency', 'targets': [{'provider': 'gpu-1', 'model': 'n'}]}]}],
    'limits': {'per_ip': {'requests': '600/min', 'concurrency': 100}, 'guesses': '20/min', 'max_in_flight_bytes': '25%',
               'max_tokens_in_flight': 1000000},
    'guardrails': {'output': {'max_length': 20000, 'banned_words': ['foo']}},
}


def places(node, path=()):
    """Every key of the sample, as the way to it."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []
    for key, value in items:
        if isinstance(key, str):
            yield path + (key,)
        yield from places(value, path + (key,))


def changed(path, change):
    copy = json.loads(json.dumps(SAMPLE))
    node = copy
    for key in path[:-1]:
        node = node[key]
    change(node, path[-1])
    return json.dumps(copy)


class FirstStart(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix='weir-start-')
        self.data = pathlib.Path(self.temporary.name) / 'data'
        self.file = pathlib.Path(self.temporary.name) / 'weir.yaml'
        self.file.write_text('server: {listen: 127.0.0.1:0, operations: 127.0.0.1:0}\n')

    def tearDown(self):
        self.temporary.cleanup()

    def start(self, environment=None):
        return Process(['serve', '--config', str(self.file), '--data', str(self.data)], environment)

    def test_it_prints_keys_once_and_a_curl_line_that_works_as_printed(self):
        with self.start() as gateway:
            gateway.wait_ready()
            printed = wait_for(lambda: 'curl ' in gateway.stdout() and gateway.stdout(), 'the curl line')
            line = next(line for line in printed.splitlines() if line.startswith('curl '))
            answer = subprocess.run(shlex.split(line) + ['-s'], capture_output=True, text=True)
            message = json.loads(answer.stdout)['choices'][0]['message']['content']
            self.assertTrue(message)
            self.assertIn('Models      sim-small, sim-large, sim-embed', printed)
            admin = next(line for line in printed.splitlines() if line.startswith('Admin key')).split()[2]
            listed = run('keys', 'list', '--json', '--url', f'http://127.0.0.1:{gateway.port}',
                         environment={'WEIR_ADMIN_KEY': admin})
            self.assertEqual(json.loads(listed.stdout)['name'], 'bootstrap')
            # Nothing secret is kept as it is.
            key = next(line for line in printed.splitlines() if line.startswith('API key')).split()[2]
            for path in self.data.rglob('*'):
                if path.is_file():
                    content = path.read_bytes()
                    self.assertNotIn(admin.encode(), content, path)
                    self.assertNotIn(key.encode(), content, path)
            self.assertEqual(self.data.stat().st_mode & 0o777, 0o700)
            self.assertEqual((self.data / 'master.key').stat().st_mode & 0o777, 0o600)
        with self.start() as again:
            again.wait_ready()
            self.assertNotIn('sk-weir-', again.stdout())
            answer = subprocess.run(shlex.split(line.replace(f':{gateway.port}/', f':{again.port}/')) + ['-s'],
                                    capture_output=True, text=True)
            self.assertTrue(json.loads(answer.stdout)['choices'])

    def test_preset_keys_are_used_and_not_printed(self):
        with simulator() as simulated:
            with Gateway(config([provider(simulated.port)])) as gateway:
                gateway.wait_ready()
                self.assertEqual(gateway.chat()[0], 200)
                self.assertEqual(gateway.admin('GET', '/keys')[0], 200)
                self.assertNotIn(API_KEY, gateway.stdout())
                self.assertNotIn(ADMIN_KEY, gateway.stdout())

    def test_a_provider_whose_key_is_in_the_environment_is_added(self):
        with self.start({'GROQ_API_KEY': 'gsk-not-a-real-one'}) as gateway:
            gateway.wait_ready()
            self.assertIn('Provider    groq, from the environment', gateway.stdout())
            self.assertNotIn('simulator', gateway.stdout())
            self.assertNotIn('gsk-not-a-real-one', gateway.stdout() + gateway.stderr())

    def test_a_credential_of_several_lines_is_refused_and_a_last_line_feed_is_not(self):
        self.refused('OPENAI_API_KEY is no credential', environment={'OPENAI_API_KEY': 'sk-a\r\nx-evil: 1'})
        with self.start({'OPENAI_API_KEY': 'sk-a\n'}) as gateway:
            gateway.wait_ready()

    def refused(self, says, arguments=None, environment=None, status=EXIT_CONFIG):
        ended = run(*(arguments or ['serve', '--config', str(self.file), '--data', str(self.data)]), environment=environment)
        self.assertEqual(ended.returncode, status, ended.stderr)
        self.assertIn(says, ended.stderr)
        self.assertNotIn('terminate called', ended.stderr)
        return ended.stderr

    def test_a_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            self.file.write_text(f'server: {{listen: 127.0.0.1:{port}, operations: 127.0.0.1:0}}\n')
            self.refused(f'127.0.0.1:{port} is in use by another program')

    def test_every_fault_of_a_file_is_listed_with_its_place(self):
        self.file.write_text('server: {lisen: 127.0.0.1:0}\nauth: {mode: maybe}\nmodles: []\n'
                             'providers: [{name: a, kind: openai, api_key: "${NOT_SET}"}]\n')
        says = self.refused(f'{self.file}:1: server.lisen: unknown key; did you mean \'listen\'?')
        self.assertIn(f'{self.file}:2: auth.mode: expected one of required, optional, off', says)
        self.assertIn(f'{self.file}:3: modles: unknown key; did you mean \'models\'?', says)
        self.assertIn('NOT_SET', says)
        checked = run('config', 'check', str(self.file))
        self.assertEqual(checked.returncode, EXIT_CONFIG)
        self.assertEqual(checked.stderr, says)
        as_json = json.loads(run('config', 'check', str(self.file), '--json').stdout)
        self.assertEqual([e['line'] for e in as_json['errors']], [1, 2, 3, 4])

    def test_every_key_that_is_mistyped_or_holds_nonsense_is_named(self):
        def check(text):
            self.file.write_text(text)
            ended = run('config', 'check', str(self.file), '--json')
            self.assertIn(ended.returncode, (0, EXIT_CONFIG), ended.stderr)
            return json.loads(ended.stdout)['errors']

        self.assertEqual(check(json.dumps(SAMPLE)), [])

        def mistype(node, key):
            node[key + 'x'] = node.pop(key)

        def overflow(node, key):
            node[key] = '9' * 400 + 'x\u0001'

        def turn_over(node, key):
            node[key] = [] if isinstance(node[key], dict) else {'a': {'b': []}}
        for path in places(SAMPLE):
            for change in (mistype, overflow, turn_over):
                with self.subTest(path=path, change=change.__name__):
                    errors = check(changed(path, change))
                    self.assertTrue(errors)
                    self.assertTrue(any(path[-1] in error['key'] for error in errors), errors)
                    self.assertEqual({error['line'] for error in errors}, {1})

    def test_every_key_that_is_missing_is_missed_or_not_needed(self):
        needed = set()
        for path in places(SAMPLE):
            self.file.write_text(changed(path, lambda node, key: node.pop(key)))
            ended = run('config', 'check', str(self.file), '--json')
            self.assertIn(ended.returncode, (0, EXIT_CONFIG), ended.stderr)
            errors = json.loads(ended.stdout)['errors']
            if errors:
                needed.add(path[-1])
                # It is named, or who refers to it is.
                self.assertTrue(any(path[-1] in error['key'] + error['message'] or 'there is no' in error['message']
                                    for error in errors), (path, errors))
        self.assertLessEqual({'name', 'kind', 'targets', 'provider', 'model', 'cert', 'key', 'input', 'output', 'base_url'}, needed)

    def test_a_good_file_is_valid_and_has_a_schema(self):
        self.assertEqual(run('config', 'check', str(self.file)).returncode, 0)
        schema = json.loads(run('config', 'schema').stdout)
        self.assertIn('providers', schema['properties'])

    def test_a_file_that_is_not_there(self):
        self.refused('No such file', ['serve', '--config', '/nowhere/weir.yaml', '--data', str(self.data)])

    def test_a_master_key_others_can_read(self):
        self.data.mkdir()
        (self.data / 'master.key').write_text('0' * 64)
        (self.data / 'master.key').chmod(0o644)
        self.refused('master.key')

    def test_a_database_of_another_master_key(self):
        with self.start() as gateway:
            gateway.wait_ready()
        self.refused('master key', environment={'WEIR_MASTER_KEY': 'ab' * 32})

    def test_a_newer_database(self):
        with self.start() as gateway:
            gateway.wait_ready()
        with sqlite3.connect(self.data / 'weir.db') as database:
            database.execute('UPDATE schema_version SET version = 999')
            database.execute('INSERT INTO schema_version SELECT 999 WHERE NOT EXISTS (SELECT 1 FROM schema_version)')
        self.refused('was made by a newer Weir')

    def test_a_database_that_is_none(self):
        self.data.mkdir()
        (self.data / 'weir.db').write_text('not a database, but quite long enough to be mistaken for one ' * 20)
        self.refused('weir.db')

    def test_a_data_folder_that_cannot_be(self):
        blocker = pathlib.Path(self.temporary.name) / 'file'
        blocker.write_text('')
        self.refused('data folder', ['serve', '--config', str(self.file), '--data', str(blocker / 'data')])

    def test_preset_keys_that_cannot_be(self):
        self.refused('WEIR_BOOTSTRAP_ADMIN_KEY is too short', environment={'WEIR_BOOTSTRAP_ADMIN_KEY': 'short'})
        self.refused('WEIR_BOOTSTRAP_API_KEY must be', environment={'WEIR_BOOTSTRAP_API_KEY': 'sk-other'})

    def test_no_authentication_where_others_can_reach_it(self):
        self.file.write_text('server: {listen: 0.0.0.0:0, operations: 127.0.0.1:0}\nauth: {mode: off}\n')
        self.refused('auth.mode is off')

    def test_a_certificate_that_is_not_there(self):
        self.file.write_text('server: {listen: 127.0.0.1:0, operations: 127.0.0.1:0, tls: {cert: /nowhere, key: /nowhere}}\n')
        self.refused('/nowhere')

    def test_a_certificate_and_a_key_that_do_not_belong_together(self):
        paths = {}
        for name in ('one', 'other'):
            paths[name] = [str(pathlib.Path(self.temporary.name) / f'{name}.{kind}') for kind in ('cert', 'key')]
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                            '-subj', '/CN=localhost', '-out', paths[name][0], '-keyout', paths[name][1]],
                           check=True, capture_output=True)
        self.file.write_text(json.dumps({'server': {'listen': '127.0.0.1:0', 'operations': '127.0.0.1:0',
                                                    'tls': {'cert': paths['one'][0], 'key': paths['other'][1]}}}))
        self.refused(paths['other'][1])

    def test_an_access_log_that_cannot_be_written(self):
        self.file.write_text('server: {listen: 127.0.0.1:0, operations: 127.0.0.1:0}\nlog: {access: /nowhere/log}\n')
        self.refused('log.access')

    @unittest.skipUnless(os.geteuid() == 0, 'needs root to mount a small file system')
    def test_a_full_disk(self):
        self.data.mkdir()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(self.data)], capture_output=True).returncode:
            self.skipTest('cannot mount here')
        try:
            self.refused('There is no room for the journal', status=1)
        finally:
            subprocess.run(['umount', str(self.data)], check=True)

    def test_version_and_help(self):
        self.assertRegex(run('version').stdout, r'^weir \d+\.\d+\.\d+\n$')
        self.assertIn('serve', run('--help').stdout)
        self.assertNotEqual(run('no-such-command').returncode, 0)


if __name__ == '__main__':
    unittest.main()
