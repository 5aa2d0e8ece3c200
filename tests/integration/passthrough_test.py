"""Surfaces that pass through: moderations, images, audio, rerank; and completions and embeddings at their edges.

What reaches the provider and comes back is compared byte for byte; what it costs, with the ledger.
"""
import base64
import contextlib
import hashlib
import http.client
import json
import socket
import struct
import threading
import unittest

from harness import API_KEY, Gateway, config, provider, simulator, stats, wait_for
from scripted import JSON_HEAD, SSE_HEAD, Scripted

BOUNDARY = 'WeirTestBoundary'
FORM = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
MIB = 1 << 20


def field(name, value):
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file(content, name='file'):
    return (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.mp3"\r\n'
            f'Content-Type: audio/mpeg\r\n\r\n').encode() + content + b'\r\n'


END = f'--{BOUNDARY}--\r\n'.encode()


def noise(size):
    """Bytes with line breaks and hyphens of all kinds among them, always the same."""
    block = hashlib.shake_256(b'weir').digest(4000) + b'\r\n--\n--\r--' + f'\r\n--{BOUNDARY[:-1]}'.encode()
    return (block * (size // len(block) + 1))[:size]


def sized(body):
    return b'Content-Length: %d\r\n\r\n%s' % (len(body), body)


def models(*names, **more):
    return [{'name': name, 'targets': [{'provider': target, 'model': model}], **({'price': price} if price else {}), **more}
            for name, target, model, price in names]


class Simulated(unittest.TestCase):
    """End to end with the simulator, at prices that make each way of counting visible."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = simulator()
        tokens = {'input': '1 USD', 'output': '2 USD'}
        none = {'input': '0 USD', 'output': '0 USD'}
        cls.gateway = Gateway(config([provider(cls.simulator.port)], models=models(
            ('moderator', 'sim', 'sim-moderator', tokens),
            ('painter', 'sim', 'dall-e-3', {**none, 'image': '0.04 USD'}),
            ('token-painter', 'sim', 'gpt-image-1', {**tokens, 'output_image': '40 USD'}),
            ('speaker', 'sim', 'tts-1', {**none, 'request': '0.01 USD'}),
            ('listener', 'sim', 'whisper-1', {**none, 'audio_minute': '0.006 USD'}),
            ('token-listener', 'sim', 'gpt-4o-transcribe', tokens),
            ('ranker', 'sim', 'rerank-3', {**none, 'search': '0.002 USD'}),
            ('old', 'sim', 'sim-old', tokens),
            ('vectors', 'sim', 'sim-embed', tokens)))).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.simulator.close()

    def post(self, path, body, headers=None):
        status, got, text = self.gateway.call('POST', path, body, headers)
        self.assertEqual(status, 200, text)
        row = self.gateway.usage_of(got['x-request-id'])
        self.assertEqual(row['code'], 'ok')
        return got, text, row

    def test_moderations_are_free(self):
        _, text, row = self.post('/v1/moderations', {'model': 'moderator', 'input': ['peace', 'violence']})
        answer = json.loads(text)
        self.assertEqual([r['flagged'] for r in answer['results']], [False, True])
        self.assertEqual(answer['model'], 'moderator')
        self.assertEqual((row['surface'], row['cost_usd'], row['estimated']), ('moderations', '0.00', False))

    def test_images_are_paid_by_piece_or_by_token(self):
        got, text, row = self.post('/v1/images/generations', {'model': 'painter', 'prompt': 'a weir', 'n': 3})
        self.assertEqual(len(json.loads(text)['data']), 3)
        self.assertTrue(base64.b64decode(json.loads(text)['data'][0]['b64_json']).startswith(b'\x89PNG'))
        self.assertEqual((row['surface'], row['cost_usd'], got['x-weir-cost-usd']), ('images', '0.12', '0.12'))
        _, text, row = self.post('/v1/images/generations', {'model': 'token-painter', 'prompt': 'a weir'})
        usage = json.loads(text)['usage']
        self.assertEqual((row['input_tokens'], row['output_tokens']), (usage['input_tokens'], usage['output_tokens']))
        self.assertEqual(float(row['cost_usd']), round((usage['input_tokens'] + usage['output_tokens'] * 40) / 1e6, 9))

    def test_images_stream_untouched_and_are_counted(self):
        got, text, row = self.post('/v1/images/generations',
                                   {'model': 'token-painter', 'prompt': 'a weir', 'stream': True, 'partial_images': 1})
        self.assertTrue(got['content-type'].startswith('text/event-stream'))
        events = [json.loads(line[6:]) for line in text.decode().splitlines() if line]
        self.assertEqual([e['type'] for e in events], ['image_generation.partial_image', 'image_generation.completed'])
        self.assertEqual((row['stream'], row['output_tokens'], row['estimated']), (True, 100, False))

    def test_edits_and_variations_as_forms(self):
        for path in ('edits', 'variations'):
            form = file(noise(5000), 'image') + field('model', 'painter') + field('n', '2') + END
            _, text, row = self.post(f'/v1/images/{path}', form, FORM)
            self.assertEqual((len(json.loads(text)['data']), row['cost_usd']), (2, '0.08'))
        _, text, _ = self.post('/v1/images/edits', {'model': 'painter', 'images': [{'image_url': 'data:,'}]})
        self.assertEqual(len(json.loads(text)['data']), 1)

    def test_speech_is_the_providers_bytes(self):
        request = {'model': 'speaker', 'input': 'Grüße ' * 400, 'voice': 'alloy'}
        got, sound, row = self.post('/v1/audio/speech', request)
        self.assertEqual(got['content-type'], 'audio/mpeg')
        self.assertTrue(sound.startswith(b'ID3'))
        self.assertEqual(len(sound), len(request['input'].encode()) * 100)
        self.assertEqual((row['surface'], row['cost_usd'], row['estimated']), ('audio', '0.01', True))
        self.assertEqual(row['input_tokens'], len(request['input']) // 4)
        got, text, row = self.post('/v1/audio/speech', {**request, 'stream_format': 'sse'})
        self.assertTrue(got['content-type'].startswith('text/event-stream'))
        done = json.loads([line for line in text.decode().splitlines() if line][-1][6:])
        self.assertEqual((done['usage']['output_tokens'], False), (row['output_tokens'], row['estimated']))
        self.assertTrue(row['stream'])

    def test_transcriptions_in_every_format(self):
        sound = noise(30_000)
        for name in ('json', 'verbose_json'):
            form = field('model', 'listener') + field('response_format', name) + file(sound) + END
            _, text, row = self.post('/v1/audio/transcriptions', form, FORM)
            self.assertTrue(json.loads(text)['text'])
            # Half a minute, a second of it being 1,000 bytes.
            self.assertEqual((row['cost_usd'], row['estimated']), ('0.003', False))
        form = field('model', 'listener') + field('response_format', 'srt') + file(sound) + END
        got, text, row = self.post('/v1/audio/transcriptions', form, FORM)
        self.assertTrue(got['content-type'].startswith('text/plain'))
        self.assertTrue(row['estimated'])  # the answer does not say how long it was
        self.assertGreater(float(row['cost_usd']), 0)
        form = field('stream', 'true') + field('model', 'token-listener') + file(sound) + END
        got, text, row = self.post('/v1/audio/transcriptions', form, FORM)
        self.assertTrue(got['content-type'].startswith('text/event-stream'))
        self.assertEqual((row['input_tokens'], row['stream'], row['estimated']), (300, True, False))
        _, text, row = self.post('/v1/audio/translations', file(sound) + field('model', 'listener') + END, FORM)
        self.assertEqual(row['cost_usd'], '0.003')

    def test_rerank_is_paid_by_the_search(self):
        request = {'model': 'ranker', 'query': 'low weir', 'documents': ['dam', 'low weir', {'text': 'low'}], 'top_n': 2}
        for path in ('/v1/rerank', '/v2/rerank'):
            _, text, row = self.post(path, request)
            self.assertEqual([r['index'] for r in json.loads(text)['results']], [1, 2])
            self.assertEqual((row['surface'], row['cost_usd']), ('rerank', '0.002'))

    def test_completions_whole_and_streamed_say_the_same(self):
        request = {'model': 'old', 'prompt': ['one', 'two'], 'max_tokens': 20}
        _, text, row = self.post('/v1/completions', request)
        whole = json.loads(text)
        self.assertEqual((whole['model'], len(whole['choices'])), ('old', 2))
        self.assertEqual(row['output_tokens'], whole['usage']['completion_tokens'])
        _, text, row = self.post('/v1/completions', {**request, 'stream': True})
        lines = [line[6:] for line in text.decode().splitlines() if line]
        self.assertEqual(lines[-1], '[DONE]')
        words = ['', '']
        for line in lines[:-1]:
            chunk = json.loads(line)
            self.assertEqual((chunk['object'], chunk['model']), ('text_completion', 'old'))
            self.assertEqual(len(chunk['choices']), 1, 'a usage chunk that nobody asked for')
            words[chunk['choices'][0]['index']] += chunk['choices'][0]['text']
        self.assertEqual(words, [c['text'] for c in whole['choices']])
        self.assertEqual(row['output_tokens'], whole['usage']['completion_tokens'])

    def test_embeddings_of_a_provider_that_gives_numbers_only(self):
        request = {'model': 'vectors', 'input': ['a', 'b'], 'dimensions': 16}
        _, text, row = self.post('/v1/embeddings', request)
        numbers = json.loads(text)
        _, text, _ = self.post('/v1/embeddings', {**request, 'encoding_format': 'base64'})
        encoded = json.loads(text)
        for plain, packed in zip(numbers['data'], encoded['data'], strict=True):
            got = struct.unpack('<16f', base64.b64decode(packed['embedding']))
            self.assertEqual(got, struct.unpack('<16f', struct.pack('<16f', *plain['embedding'])))
        self.assertEqual((encoded['usage'], encoded['model']), (numbers['usage'], 'vectors'))
        self.assertEqual(row['input_tokens'], numbers['usage']['prompt_tokens'])

    def test_large_uploads_by_model_first_and_model_last(self):
        sound = noise(9 * MIB)
        for form in (field('model', 'listener') + file(sound) + END, file(sound) + field('model', 'listener') + END):
            _, text, row = self.post('/v1/audio/transcriptions', form, FORM)
            self.assertEqual(row['cost_usd'], str(round(len(sound) / 1000 / 60 * 0.006, 9)))


class Screened(unittest.TestCase):
    def test_completions_pass_the_guardrails_whole_and_streamed_alike(self):
        with simulator() as simulated, Gateway(config(
                [provider(simulated.port)], guardrails={'output': {'banned_words': ['over']}})) as gateway:
            gateway.wait_ready()
            for prompt in ('x', 'y', 'over and over', 'z'):
                request = {'model': 'sim-small', 'prompt': prompt, 'max_tokens': 30}
                status, _, text = gateway.call('POST', '/v1/completions', request)
                self.assertEqual(status, 200, text)
                choice = json.loads(text)['choices'][0]
                self.assertNotIn('over', choice['text'])
                _, _, text = gateway.call('POST', '/v1/completions', {**request, 'stream': True})
                lines = [line[6:] for line in text.decode().splitlines() if line]
                self.assertEqual(lines[-1], '[DONE]')
                chunks = [json.loads(line) for line in lines[:-1]]
                self.assertEqual({c['object'] for c in chunks}, {'text_completion'})
                self.assertEqual(''.join(c['choices'][0]['text'] for c in chunks), choice['text'])
                self.assertEqual(chunks[-1]['choices'][0]['finish_reason'], choice['finish_reason'])


class Uploads(unittest.TestCase):
    """What exactly a provider gets, and what clients may not send."""

    @classmethod
    def setUpClass(cls):
        cls.scripted = Scripted()
        cls.gateway = Gateway(config([provider(cls.scripted.port, 'scripted')], models=models(
            ('mine', 'scripted', 'whisper-large-v3', {'input': '0 USD', 'output': '0 USD', 'audio_minute': '6 USD'}))
        )).wait_ready()
        cls.answer = JSON_HEAD + sized(b'{"text":"hi","duration":10}')

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.scripted.close()

    def setUp(self):
        self.scripted.script = self.answer
        self.scripted.requests.clear()

    def upload(self, form, headers=FORM, path='/v1/audio/transcriptions'):
        status, got, text = self.gateway.call('POST', path, form, headers)
        return status, got, json.loads(text)

    def test_a_form_arrives_as_it_was_but_for_the_model(self):
        for size in (100, MIB - 1, MIB, 3 * MIB):
            for first in (True, False):
                with self.subTest(size=size, first=first):
                    def form(model):
                        parts = [field('model', model), file(noise(size))]
                        return field('prompt', 'model') + b''.join(parts if first else parts[::-1]) + END
                    status, headers, _ = self.upload(form('mine'))
                    self.assertEqual(status, 200)
                    head, sent = self.scripted.requests[-1]
                    self.assertTrue(sent == form('whisper-large-v3'))
                    self.assertIn(f'content-type: multipart/form-data; boundary={BOUNDARY}\r\n'.encode(), head)
                    self.assertNotIn(b'application/json', head)
                    self.assertEqual(self.gateway.usage_of(headers['x-request-id'])['cost_usd'], '1.00')

    def test_a_chunked_upload_arrives_chunked(self):
        def form(model):
            return field('model', model) + file(noise(3 * MIB)) + END
        whole = form('mine')
        received = {}

        def serve(listener):
            connection, _ = listener.accept()
            with connection, connection.makefile('rb') as stream:
                head = b''
                while not head.endswith(b'\r\n\r\n'):
                    head += stream.readline()
                body = b''
                while size := int(stream.readline(), 16):
                    body += stream.read(size)
                    stream.readline()
                stream.readline()
                received.update(head=head, body=body)
                connection.sendall(self.answer)

        with socket.create_server(('127.0.0.1', 0)) as listener:
            worker = threading.Thread(target=serve, args=(listener,))
            worker.start()
            with Gateway(config([provider(listener.getsockname()[1], 'p')], models=models(
                    ('mine', 'p', 'whisper-large-v3', None)))) as gateway:
                gateway.wait_ready()
                connection = http.client.HTTPConnection(gateway.host, gateway.port)
                with contextlib.closing(connection):
                    pieces = (whole[at:at + 70_001] for at in range(0, len(whole), 70_001))
                    connection.request('POST', '/v1/audio/transcriptions', pieces,
                                       {**FORM, 'Authorization': f'Bearer {API_KEY}'}, encode_chunked=True)
                    self.assertEqual(connection.getresponse().status, 200)
            worker.join()
        self.assertIn(b'transfer-encoding: chunked', received['head'])
        self.assertTrue(received['body'] == form('whisper-large-v3'))

    def test_a_form_without_a_model_gets_the_paths(self):
        form = file(b'x') + END
        status, _, _ = self.upload(form, path='/openai/deployments/mine/audio/transcriptions')
        self.assertEqual(status, 200)
        self.assertEqual(self.scripted.requests[-1][1], field('model', 'whisper-large-v3') + form)
        status, _, body = self.upload(form)
        self.assertEqual((status, body['error']['code'], body['error']['param']), (400, 'invalid_request', 'model'))

    def test_what_is_refused_reaches_no_provider(self):
        model = field('model', 'mine')
        cases = {
            'no boundary': (model + END, {'Content-Type': 'multipart/form-data'}, 400, 'invalid_request'),
            'another type': (b'x', {'Content-Type': 'text/plain'}, 415, 'unsupported_media_type'),
            'no form': (b'hello', FORM, 400, 'invalid_request'),
            'no end': (model + file(b'x'), FORM, 400, 'invalid_request'),
            'two models': (model + field('model', 'o1') + file(b'x') + END, FORM, 400, 'invalid_request'),
            'an unknown model': (field('model', 'nobody') + END, FORM, 404, 'model_not_found'),
            'too large': (model + file(b'x' * 64 * MIB) + END, FORM, 413, 'payload_too_large'),
            'a form elsewhere': (model + END, FORM, 415, 'unsupported_media_type', '/v1/audio/speech'),
        }
        for name, (form, headers, status, code, *path) in cases.items():
            with self.subTest(name):
                if name == 'too large':
                    # Refused by its length: the answer comes before the body is sent.
                    with self.gateway.connect() as sock:
                        sock.sendall((f'POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                                      f'Content-Type: {FORM["Content-Type"]}\r\nContent-Length: {len(form)}\r\n\r\n').encode())
                        answer = http.client.HTTPResponse(sock)
                        answer.begin()
                        got, body = answer.status, json.loads(answer.read())
                else:
                    got, _, body = self.upload(form, headers, *path)
                self.assertEqual((got, body['error']['code']), (status, code), body)
        self.assertEqual(self.scripted.requests, [])

    def test_a_second_model_behind_the_file_ends_the_upload(self):
        # The rest of a large upload is judged before it goes on: the provider never sees the second name.
        form = field('model', 'mine') + file(noise(3 * MIB)) + field('model', 'expensive') + END
        seen = b''
        with socket.create_server(('127.0.0.1', 0)) as listener:
            received = []

            def serve():
                connection, _ = listener.accept()
                with connection:
                    while data := connection.recv(1 << 16):
                        received.append(data)

            worker = threading.Thread(target=serve)
            worker.start()
            with Gateway(config([provider(listener.getsockname()[1], 'p')], models=models(
                    ('mine', 'p', 'whisper', None)))) as gateway:
                gateway.wait_ready()
                status, headers, text = gateway.call('POST', '/v1/audio/transcriptions', form, FORM)
                self.assertEqual((status, json.loads(text)['error']['param']), (400, 'model'))
                row = gateway.usage_of(headers['x-request-id'])
                self.assertEqual((row['code'], row['cost_usd']), ('invalid_request', None))
                worker.join()
            seen = b''.join(received)
        self.assertIn(b'whisper', seen)
        self.assertNotIn(b'expensive', seen)

    def test_an_answer_before_the_end_of_a_large_upload(self):
        # 4 MiB more than the sockets hold, and a provider that refuses after the head.
        with socket.create_server(('127.0.0.1', 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    body = b'{"error":{"message":"too long"}}'
                    connection.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n' + sized(body))
            worker = threading.Thread(target=serve)
            worker.start()
            with Gateway(config([provider(listener.getsockname()[1], 'p')], models=models(
                    ('mine', 'p', 'whisper', None)))) as gateway:
                gateway.wait_ready()
                form = field('model', 'mine') + file(noise(20 * MIB)) + END
                with gateway.connect() as sock:
                    sock.sendall((f'POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                                  f'Content-Type: {FORM["Content-Type"]}\r\nContent-Length: {len(form)}\r\n\r\n').encode())
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        sock.sendall(form)
                    answer = http.client.HTTPResponse(sock)
                    answer.begin()
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(json.loads(answer.read())['error']['message'], 'too long')
                worker.join()

    def test_a_client_that_leaves_in_the_middle(self):
        form = field('model', 'mine') + file(noise(8 * MIB)) + END
        with self.gateway.connect() as sock:
            sock.sendall((f'POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                          f'Content-Type: {FORM["Content-Type"]}\r\nContent-Length: {len(form)}\r\n\r\n').encode())
            sock.sendall(form[:4 * MIB])
        wait_for(lambda: [r for r in self.gateway.usage() if r['code'] == 'cancelled'], 'the row')
        name = 'weir_inflight{model="mine",provider="scripted"}'
        wait_for(lambda: self.gateway.metrics()[name] == 0, 'the gauge')


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripted = Scripted()
        cls.gateway = Gateway(config([provider(cls.scripted.port, 'scripted')], models=models(
            ('mine', 'scripted', 'm', None)))).wait_ready()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.scripted.close()

    def ask(self, path, script, **fields):
        self.scripted.script = script
        status, headers, text = self.gateway.call('POST', path, {'model': 'mine', 'input': 'x', **fields})
        return status, headers, text, self.gateway.usage_of(headers['x-request-id'])

    def test_an_answer_passes_byte_for_byte_but_for_the_model(self):
        body = b'{ "model" : "m", "results":[{"flagged":false, "x":[1.50]}], "\\u00e4":null}'
        status, _, text, _ = self.ask('/v1/moderations', JSON_HEAD + sized(body))
        self.assertEqual((status, text), (200, body.replace(b'"m"', b'"mine"')))
        self.assertIn(b'content-type: application/json\r\n', self.scripted.requests[-1][0])

    def test_a_large_sound_arrives_whole(self):
        sound = noise(8 * MIB)
        for framing in (sized(sound), b'Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n' % (len(sound), sound),
                        b'\r\n' + sound):
            status, headers, text, row = self.ask('/v1/audio/speech', b'HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\n' + framing)
            self.assertEqual((status, headers['content-type'], row['code']), (200, 'audio/flac', 'ok'))
            self.assertTrue(text == sound)

    def test_a_sound_that_breaks_off_is_cut_and_never_whole(self):
        self.scripted.script = b'HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100000\r\n\r\n' + noise(50_000)
        connection = http.client.HTTPConnection(self.gateway.host, self.gateway.port)
        with contextlib.closing(connection):
            connection.request('POST', '/v1/audio/speech', json.dumps({'model': 'mine', 'input': 'x'}),
                               {'Authorization': f'Bearer {API_KEY}', 'Content-Type': 'application/json'})
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
                answer.read()
            row = self.gateway.usage_of(answer.getheader('x-request-id'))
        self.assertEqual((row['code'], row['estimated']), ('upstream_invalid_response', True))

    def test_events_that_break_off_end_with_an_error_event(self):
        event = b'data: {"type":"image_generation.partial_image","b64_json":"aa"}\n\n'
        script = SSE_HEAD + b'Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n' % (len(event), event)
        status, _, text, row = self.ask('/v1/images/generations', script, stream=True)
        self.assertEqual((status, row['code']), (200, 'upstream_invalid_response'))
        self.assertTrue(text.startswith(event + b'event: error\ndata: '))
        self.assertEqual(json.loads(text.splitlines()[-2][6:])['error']['code'], 'upstream_invalid_response')

    def test_faults_before_the_first_byte_have_a_status(self):
        for name, path, script, want in [
                ('no images', '/v1/images/generations', JSON_HEAD + sized(b'{"data":[]}'), 'upstream_invalid_response'),
                ('no sound', '/v1/audio/speech', b'HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n' + sized(b''), 'upstream_invalid_response'),
                ('an error in a 200', '/v1/audio/speech', JSON_HEAD + sized(b'{"error":{"message":"boom"}}'), 'upstream_error'),
                ('no json', '/v1/moderations', JSON_HEAD + sized(b'<html>'), 'upstream_invalid_response'),
                ('refused', '/v1/rerank', b'HTTP/1.1 500 X\r\n' + sized(b'oops'), 'upstream_error')]:
            with self.subTest(name):
                status, _, text, row = self.ask(path, script)
                self.assertEqual((status, json.loads(text)['error']['code'], row['code']), (502, want, want))

    def test_a_provider_without_the_surface_is_not_asked(self):
        with Gateway(config([provider(1, 'p', kind='deepseek', api_key='k')], models=models(('mine', 'p', 'm', None)))) as gateway:
            gateway.wait_ready()
            status, _, text = gateway.call('POST', '/v1/rerank', {'model': 'mine', 'query': 'x', 'documents': ['y']})
            self.assertEqual((status, json.loads(text)['error']['param']), (400, 'model'))

    def test_a_reader_that_is_slow_gets_every_byte(self):
        sound = noise(6 * MIB)
        self.scripted.script = b'HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n' + sized(sound)
        with self.gateway.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            body = json.dumps({'model': 'mine', 'input': 'x'})
            sock.sendall((f'POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                          f'Content-Length: {len(body)}\r\n\r\n{body}').encode())
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            received = b''
            while part := answer.read(50_000):
                received += part
            self.assertTrue(received == sound)


if __name__ == '__main__':
    unittest.main()
