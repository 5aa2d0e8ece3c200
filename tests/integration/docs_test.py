"""docs/api.md says what the binary has: its paths and methods, its codes, its metrics."""
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import WEIR, Gateway, config, provider, simulator

ROOT = pathlib.Path(__file__).resolve().parents[2]
API = (ROOT / 'docs/api.md').read_text()
PLACES = {'{id}': 'resp_1', '{m}': 'sim-small', '{request id}': '01a1fcd7-24f2-7f9d-bfc5-92c9fd6515b9'}


def rows(heading):
    """The cells of each row of the tables whose first heading is that."""
    found = []
    for table in re.findall(r'(?:^\|.*\n)+', API, re.M):
        lines = [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()]
        if lines[0][0] == heading:
            found += lines[2:]
    return found


def expanded(cell):
    """`/v1/x/{id}`, `…/y` and `/v1/{m}:a`, `:b` are written short."""
    paths = []
    for path in re.findall(r'`([^`]+)`', cell):
        if path.startswith('…'):
            path = paths[0][:paths[0].rindex('}') + 1] + path[1:]
        elif path.startswith(':'):
            path = paths[0][:paths[0].rindex(':')] + path
        paths.append(path)
    return paths


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator()
        cls.gateway = Gateway(config([provider(cls.simulator.port)])).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def methods_of(self, path):
        for place, value in PLACES.items():
            path = path.replace(place, value)
        status, headers, _ = self.gateway.call('PATCH', path)
        self.assertEqual(status, 405, path)
        return {method for method in headers['allow'].split(', ') if method != 'HEAD'}

    def test_every_path_is_there_with_its_methods(self):
        said = {}
        for cells in rows('path'):
            paths = expanded(cells[0])
            methods = cells[1].split(';')
            for i, path in enumerate(paths):
                listed = {one.strip() for one in methods[min(i, len(methods) - 1)].split(',')} - {'HEAD'}
                said.setdefault(path, []).append(listed)
        self.assertGreater(len(said), 25)
        for path, lists in said.items():
            self.assertEqual(sorted(map(sorted, lists)), sorted(map(sorted, {frozenset(one) for one in lists})),
                             f'{path} stands there twice')
            self.assertEqual(set().union(*lists), self.methods_of(path), path)

    def test_every_code_has_its_status(self):
        source = (ROOT / 'src/base/error.cpp').read_text()
        statuses = dict(re.findall(r'"([a-z_]+)", (\d+),', source))
        codes = rows('code')
        self.assertGreater(len(codes), 15)
        for cells in codes:
            names = re.findall(r'`([^`]+)`', cells[0])
            said = [one.strip() for one in cells[1].split(',')]
            for i, name in enumerate(names):
                self.assertEqual(statuses[name], said[min(i, len(said) - 1)], name)

    def test_every_metric_is_there_and_no_other(self):
        connection = http.client.HTTPConnection(self.gateway.operations_host, self.gateway.operations_port)
        connection.request('GET', '/metrics')
        there = set(re.findall(r'^# TYPE (\S+)', connection.getresponse().read().decode(), re.M))
        connection.close()
        said = {name for cells in rows('metric') for name in re.findall(r'`(weir_[a-z_]+)`', cells[0])}
        # Those that nothing was counted of are not printed yet.
        declared = set(re.findall(r'"(weir_[a-z_]+)"', (ROOT / 'src/obs/names.h').read_text()))
        self.assertEqual(declared, said)
        self.assertLessEqual(there, said)
        self.assertGreater(len(there), 3)


class Operations(unittest.TestCase):
    """What docs/operations.md tells people to type is typed."""

    def test_the_hand_over(self):
        text = (ROOT / 'docs/operations.md').read_text()
        [script] = re.findall(r'^```sh\n(.*?)^```', text, re.M | re.S)
        folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-docs-'))
        self.addCleanup(shutil.rmtree, folder)
        ports = []
        for _ in range(2):
            with socket.create_server(('127.0.0.1', 0)) as probe:
                ports.append(probe.getsockname()[1])
        self.assertIn('127.0.0.1:9090', script)
        script = script.replace('127.0.0.1:9090', f'127.0.0.1:{ports[1]}')
        (folder / 'weir.yaml').write_text(
            f'server: {{listen: "127.0.0.1:{ports[0]}", operations: "127.0.0.1:{ports[1]}"}}\n')
        (folder / 'weir').symlink_to(WEIR)
        done = subprocess.run(['sh', '-euc', script], cwd=folder, capture_output=True, text=True,
                              env={**os.environ, 'PATH': f'{folder}:{os.environ["PATH"]}'})
        words = done.stderr + ''.join(log.read_text() for log in folder.glob('*.log'))
        self.assertEqual(done.returncode, 0, words)
        self.assertEqual(done.stdout.count('ready\n'), 2, done.stdout)
        self.assertIn('hand_over.begun', (folder / 'old.log').read_text())


if __name__ == '__main__':
    unittest.main()
