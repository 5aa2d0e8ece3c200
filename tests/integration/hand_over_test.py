"""A new process takes the place of a running one: nobody is refused, nothing is cut, lost or counted twice."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import API_KEY, MESSAGES, Gateway, config, provider, simulator, stats, wait_for

STREAMS = int(os.environ.get('WEIR_HAND_OVER_STREAMS', '200'))
LOAD = os.environ.get('WEIR_LOAD')  # bench_load, for the long form; script/hand-over sets it
CLIENTS = 4
BODY = json.dumps({'model': 'sim-large', 'messages': MESSAGES, 'max_tokens': 3})
HEADERS = {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'}


class Callers:
    """Clients that call all the time, half of them on connections that they keep. They follow the gateway's own
    word only: a connection that was told to close is closed, any other is used again."""

    def __init__(self, port):
        self.port, self.failures, self.calls = port, [], [0] * CLIENTS
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, i):
        kept = None
        while not self.over.is_set():
            connection = kept or http.client.HTTPConnection('127.0.0.1', self.port)
            try:
                connection.request('POST', '/v1/chat/completions', BODY, HEADERS)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200 or not json.loads(body)['choices']:
                    self.failures.append((answer.status, body[:200]))
                closes = answer.will_close
                self.calls[i] += 1
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(repr(error))
                closes = True
            if closes or i % 2 == 0:
                connection.close()
                kept = None
            else:
                kept = connection

    def count(self):
        return sum(self.calls)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class HandOver(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix='weir-hand-over-')
        self.addCleanup(shutil.rmtree, self.data, True)

    def gateway(self, simulated, *arguments, **server):
        text = config([provider(simulated.port, connections_max=2000)], server=server)
        gateway = Gateway(text, data=self.data, arguments=arguments)
        self.addCleanup(gateway.close)
        return gateway

    def simulator(self, *arguments):
        simulated = simulator(*arguments)
        self.addCleanup(simulated.close)
        return simulated

    def journals(self):
        return list((pathlib.Path(self.data) / 'journal').iterdir())

    def test_under_open_streams_and_steady_calls(self):
        simulated = self.simulator('--tps', '20')
        old = self.gateway(simulated).wait_ready()
        streams = [old.open_stream(max_tokens=60) for _ in range(STREAMS)]
        for stream in streams:
            self.assertEqual(stream.status, 200)
            stream.first()
        callers = Callers(old.port)
        self.addCleanup(callers.stop)
        wait_for(lambda: callers.count() > 50, 'calls before')
        new = self.gateway(simulated, '--take-over').wait_ready()
        self.assertEqual((new.port, new.operations_port), (old.port, old.operations_port))
        taken = callers.count()
        wait_for(lambda: callers.count() > taken + 200, 'calls after')
        for stream in streams:
            self.assertEqual(list(stream.events())[-1], '[DONE]')
            stream.close()
        self.assertEqual(old.wait(), 0, old.stderr())
        callers.stop()
        self.assertEqual(callers.failures, [])

        def all_rows():
            rows = new.usage()
            return rows if len(rows) >= callers.count() + STREAMS else None
        rows = wait_for(all_rows, 'the rows')
        self.assertEqual(len(rows), callers.count() + STREAMS)
        self.assertEqual(len({row['request_id'] for row in rows}), len(rows))
        self.assertEqual({row['code'] for row in rows}, {'ok'})
        truth = stats(simulated)
        self.assertEqual((len(rows), sum(row['output_tokens'] for row in rows)), (truth['calls'], truth['tokens']))

    @unittest.skipUnless(LOAD, 'script/hand-over runs it')
    def test_under_open_streams_and_a_thousand_calls_a_second(self):
        slow, quick = self.simulator('--tps', '20'), self.simulator('--ttft', '15ms')
        text = config([provider(slow.port, connections_max=2000), provider(quick.port, 'quick')], models=[
            {'name': 'sim-small', 'targets': [{'provider': 'sim', 'model': 'sim-small'}]},
            {'name': 'bench', 'targets': [{'provider': 'quick', 'model': 'sim-small'}]}],
            limits={'max_in_flight_bytes': '1GiB'})
        old = Gateway(text, data=self.data).wait_ready()
        self.addCleanup(old.close)
        streams = [old.open_stream(max_tokens=300) for _ in range(STREAMS)]
        for stream in streams:
            stream.first()
        load = subprocess.Popen(
            [LOAD, '--target', f'127.0.0.1:{old.port}', '--connections', '24', '--seconds', '12',
             '--header', f'Authorization: Bearer {API_KEY}'], stdout=subprocess.PIPE, text=True)
        time.sleep(4)
        new = Gateway(text, data=self.data, arguments=['--take-over'])
        self.addCleanup(new.close)
        new.wait_ready()
        for stream in streams:
            self.assertEqual(list(stream.events())[-1], '[DONE]')
            stream.close()
        self.assertEqual(old.wait(), 0)
        counts = json.loads(load.communicate()[0])
        self.assertEqual(counts['errors'], 0, counts)
        rows = wait_for(lambda: (lambda r: r if len(r) >= counts['requests'] + STREAMS else None)(new.usage()), 'rows')
        self.assertEqual(len(rows), stats(slow)['calls'] + stats(quick)['calls'])
        self.assertEqual({row['code'] for row in rows}, {'ok'})
        print(f"{STREAMS} streams, {counts['requests']} calls, {counts['requests'] / counts['seconds']:.0f} a second: "
              '0 refused, 0 truncated, one row each')

    def test_one_after_the_other(self):
        simulated = self.simulator()
        gateways = [self.gateway(simulated).wait_ready()]
        callers = Callers(gateways[0].port)
        self.addCleanup(callers.stop)
        for threads in (1, 3, 2):  # fewer sockets than threads, and more
            before = callers.count()
            wait_for(lambda: callers.count() > before + 30, 'calls')
            gateways.append(self.gateway(simulated, '--take-over', threads=threads).wait_ready())
            self.assertEqual(gateways[-2].wait(), 0, gateways[-2].stderr())
        before = callers.count()
        wait_for(lambda: callers.count() > before + 30, 'calls')
        callers.stop()
        self.assertEqual(callers.failures, [])
        wait_for(lambda: len(gateways[-1].usage()) == callers.count(), 'the rows')
        self.assertEqual(len(self.journals()), 1)
        gateways[-1].kill(signal.SIGTERM)
        self.assertEqual(gateways[-1].wait(), 0)
        self.assertNotIn('hand-over.sock', os.listdir(self.data))

    def test_a_new_one_that_fails_changes_nothing(self):
        simulated = self.simulator()
        old = self.gateway(simulated).wait_ready()
        callers = Callers(old.port)
        self.addCleanup(callers.stop)
        taken = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(taken.close)
        in_use = f'127.0.0.1:{taken.getsockname()[1]}'
        for server, words in (({'threads': 0}, 'server.threads'),
                              ({'operations': in_use}, 'choose another address with server.operations'),
                              ({'tls': {'cert': '/nowhere', 'key': '/nowhere'}}, "'/nowhere' cannot be read")):
            new = self.gateway(simulated, '--take-over', **server)
            self.assertEqual(new.wait(), 78, new.stderr())
            self.assertIn(words, new.stderr())
            before = callers.count()
            wait_for(lambda: callers.count() > before + 30, 'calls')
            self.assertEqual(old.admin('POST', '/reload')[0], 200)
        callers.stop()
        self.assertEqual(callers.failures, [])
        self.assertEqual(len(self.journals()), 1)

    def test_a_stranger_s_words_change_nothing(self):
        simulated = self.simulator()
        old = self.gateway(simulated).wait_ready()
        path = f'{self.data}/hand-over.sock'
        wait_for(lambda: os.path.exists(path), 'the socket')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for words, answer in ((b'weir-hand-over 2\n', b'refused '), (b'', b''), (b'x' * 30_000, b'refused ')):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
                stranger.connect(path)
                if words:
                    stranger.send(words)
                    self.assertTrue(stranger.recv(1000).startswith(answer), words)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
            stranger.connect(path)
            stranger.send(b'weir-hand-over 1\n')
            offer, descriptors, _, _ = socket.recv_fds(stranger, 1000, 10)
            self.assertTrue(offer.startswith(b'weir-hand-over 1\npid '), offer)
            status, answer = old.admin('POST', '/reload')
            self.assertEqual((status, answer['error']['code']), (409, 'conflict'), answer)
        self.assertEqual(old.chat()[0], 200)
        wait_for(lambda: old.admin('POST', '/reload')[0] == 200, 'reloads to be possible again')
        self.assertEqual(self.gateway(simulated, '--take-over').wait_ready().chat()[0], 200)

    def test_the_old_one_is_killed_while_it_drains(self):
        simulated = self.simulator('--tps', '50')
        old = self.gateway(simulated).wait_ready()
        done = [old.chat(max_tokens=5)[1]['x-request-id'] for _ in range(20)]
        cut = [old.open_stream({'x-sim': 'after=3;stall=60s'}, max_tokens=1000) for _ in range(20)]
        for stream in cut:
            self.addCleanup(stream.close)
            stream.first()
        new = self.gateway(simulated, '--take-over').wait_ready()
        later = [new.chat(max_tokens=5)[1]['x-request-id'] for _ in range(20)]
        self.assertEqual(len(self.journals()), 2)
        old.kill(signal.SIGKILL)
        old.wait()
        rows = wait_for(lambda: (lambda r: r if len(r) >= 60 else None)(new.usage()), 'the rows')
        wait_for(lambda: len(self.journals()) == 1, 'the journal to be taken up')
        rows = {row['request_id']: row['code'] for row in new.usage()}
        self.assertEqual(len(new.usage()), 60)
        self.assertEqual({rows[one] for one in done + later}, {'ok'})
        self.assertEqual({rows[stream.request_id] for stream in cut}, {'interrupted'})
        self.assertEqual(len(rows), stats(simulated)['calls'])

    def test_without_a_gateway_it_starts_as_usual(self):
        simulated = self.simulator()
        first = self.gateway(simulated, '--take-over').wait_ready()
        self.assertEqual(first.chat()[0], 200)
        first.kill(signal.SIGKILL)
        first.wait()
        self.assertIn('hand-over.sock', os.listdir(self.data))
        self.assertEqual(self.gateway(simulated, '--take-over').wait_ready().chat()[0], 200)

    def test_a_key_s_places_are_counted_across_both(self):
        simulated = self.simulator('--tps', '50')
        old = self.gateway(simulated).wait_ready()
        _, key = old.admin('POST', '/keys', {'name': 'three', 'concurrency_max': 3})
        held = []
        for _ in range(2):
            stream = old_stream(old, key['key'], 'after=3;stall=2s')
            self.addCleanup(stream.close)
            held.append(stream)
        new = self.gateway(simulated, '--take-over').wait_ready()
        third = old_stream(new, key['key'], 'after=3;stall=60s')
        self.addCleanup(third.close)
        status, _, body = new.chat(key=key['key'])
        self.assertEqual((status, body['error']['code']), (429, 'concurrency_limited'))
        for stream in held:  # they end in the old process
            stream.answer.read()
        wait_for(lambda: new.chat(key=key['key'])[0] == 200, 'the places to be free')
        self.assertEqual(old.wait(), 0)
        wait_for(lambda: 'hand_over.done' in new.stderr(), 'the old one to be forgotten')

    def test_the_tokens_in_flight_are_counted_across_both(self):
        simulated = self.simulator('--tps', '50')
        text = config([provider(simulated.port)], limits={'max_tokens_in_flight': 1000})
        gateways = []
        for arguments in ([], ['--take-over']):
            gateway = Gateway(text, data=self.data, arguments=arguments)
            self.addCleanup(gateway.close)
            gateways.append(gateway.wait_ready())
            if not arguments:
                held = gateway.open_stream({'x-sim': 'after=3;stall=2s'}, max_tokens=700)
                self.addCleanup(held.close)
                held.first()
        old, new = gateways
        status, _, body = new.chat(max_tokens=500)
        self.assertEqual((status, body['error']['code']), (503, 'overloaded'))
        self.assertEqual(new.chat(max_tokens=50)[0], 200)
        old.kill(signal.SIGKILL)  # however it ends: what it held is free
        wait_for(lambda: new.chat(max_tokens=500)[0] == 200, 'the tokens to be free')

    def test_another_address_is_opened_before_the_old_one_closes(self):
        simulated = self.simulator()
        old = self.gateway(simulated).wait_ready()
        with socket.create_server(('127.0.0.1', 0)) as probe:
            port = probe.getsockname()[1]
        new = self.gateway(simulated, '--take-over', listen=f'127.0.0.1:{port}').wait_ready()
        self.assertEqual((new.port, new.chat()[0]), (port, 200))
        self.assertEqual(new.operations_port, old.operations_port)
        self.assertEqual(old.wait(), 0)
        with self.assertRaises(ConnectionRefusedError):
            old.connect()


def old_stream(gateway, key, wishes):
    """A stream of that key that has begun."""
    connection = http.client.HTTPConnection(gateway.host, gateway.port)
    body = json.dumps({'model': 'sim-small', 'messages': MESSAGES, 'stream': True, 'max_tokens': 20})
    connection.request('POST', '/v1/chat/completions', body,
                       {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json', 'x-sim': wishes})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.readline()

    class Held:
        pass
    held = Held()
    held.answer, held.close = answer, connection.close
    return held


if __name__ == '__main__':
    unittest.main()
