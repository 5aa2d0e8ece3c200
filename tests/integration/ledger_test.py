"""Nothing is lost and nothing counted twice: kill -9 under load, and a drain under open streams."""
import http.client
import json
import os
import shutil
import signal
import tempfile
import threading
import unittest

from harness import Gateway, config, provider, simulator, stats, wait_for

ROUNDS = int(os.environ.get('WEIR_KILL_ROUNDS', '10'))
CLIENTS = 8
CALLS = 100  # answered before each kill
STREAMS = int(os.environ.get('WEIR_DRAIN_STREAMS', '200'))


class KillMinus9(unittest.TestCase):
    def test_every_call_the_provider_served_has_one_row(self):
        """The simulator's own count is the truth: after each kill, rows = calls, and no id twice."""
        with simulator('--tps', '2000') as simulated:
            configuration = config([provider(simulated.port)])
            seen_by_clients = 0
            data = tempfile.mkdtemp(prefix='weir-kill-')
            self.addCleanup(shutil.rmtree, data, True)
            for _ in range(ROUNDS):
                with Gateway(configuration, data=data) as gateway:
                    gateway.wait_ready()
                    stop = threading.Event()
                    answered = [0] * CLIENTS

                    def client(i):
                        n = 0
                        while not stop.is_set():
                            n += 1
                            try:
                                status, _, _ = gateway.chat(max_tokens=5, stream=n % 3 == 0)
                            except (OSError, http.client.HTTPException, ValueError):
                                return  # cut off by the kill
                            answered[i] += status == 200

                    threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
                    for thread in threads:
                        thread.start()
                    wait_for(lambda: sum(answered) >= CALLS, 'calls')
                    gateway.kill(signal.SIGKILL)
                    stop.set()
                    for thread in threads:
                        thread.join()
                    seen_by_clients += sum(answered)
            with Gateway(configuration, data=data) as last:
                last.wait_ready()
                truth = stats(simulated)['calls']
                # What was opened but never sent counts with us and not with the provider: it has no attempt.
                def rows_there():
                    rows = last.usage()
                    return rows if len(rows) >= truth else None
                rows = wait_for(rows_there, 'the rows')
                ids = [row['request_id'] for row in rows]
                self.assertEqual(len(ids), len(set(ids)), 'a row twice')
                completed = [row for row in rows if row['code'] == 'ok']
                interrupted = [row for row in rows if row['code'] == 'interrupted']
                self.assertEqual(len(completed) + len(interrupted), len(rows), {row['code'] for row in rows})
                self.assertGreaterEqual(len(completed), seen_by_clients, 'an answer without its row')
                # At most the calls in flight at each kill can be unsure.
                self.assertLessEqual(len(rows) - truth, CLIENTS * ROUNDS)
                self.assertLessEqual(len(interrupted), CLIENTS * ROUNDS)


class Drain(unittest.TestCase):
    def test_sigterm_under_open_streams_truncates_none(self):
        with simulator('--tps', '20') as simulated:
            with Gateway(config([provider(simulated.port, connections_max=1000)])) as gateway:
                gateway.wait_ready()
                streams = [gateway.open_stream(max_tokens=30) for _ in range(STREAMS)]
                for stream in streams:
                    self.assertEqual(stream.status, 200)
                    stream.first()
                gateway.kill(signal.SIGTERM)
                wait_for(lambda: not accepts(gateway), 'the door to close')
                for stream in streams:
                    events = list(stream.events())
                    self.assertEqual(events[-1], '[DONE]')
                    stream.close()
                self.assertEqual(gateway.wait(), 0)
                with Gateway(config([provider(simulated.port)]), data=gateway.data) as after:
                    after.wait_ready()
                    rows = after.usage()
                    self.assertEqual(len(rows), STREAMS)
                    self.assertEqual({row['code'] for row in rows}, {'ok'})
                    self.assertEqual(sum(row['output_tokens'] for row in rows), stats(simulated)['tokens'])

    def test_what_outlasts_the_drain_is_told_so_and_settled(self):
        with simulator('--tps', '50') as simulated:
            with Gateway(config([provider(simulated.port)], server={'drain': '300ms'})) as gateway:
                gateway.wait_ready()
                stream = gateway.open_stream({'x-sim': 'after=3;stall=60s'}, max_tokens=1000)
                stream.first()
                gateway.kill(signal.SIGTERM)
                events = list(stream.events())
                self.assertEqual(json.loads(events[-1])['error']['code'], 'overloaded')
                self.assertEqual(gateway.wait(), 0)
                with Gateway(config([provider(simulated.port)]), data=gateway.data) as after:
                    row = after.wait_ready().usage()[0]
                    self.assertEqual((row['request_id'], row['code']), (stream.request_id, 'overloaded'))
                    self.assertGreater(row['output_tokens'], 0)


def accepts(gateway):
    try:
        gateway.connect().close()
        return True
    except OSError:
        return False


if __name__ == '__main__':
    unittest.main()
