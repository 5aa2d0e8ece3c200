"""Files that clients name by URLs: fetched through the egress guard, and inlined for who does not fetch them."""
import base64
import contextlib
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import tempfile
import threading
import unittest

from harness import API_KEY, Gateway, config, provider, wait_for
from scripted import GOOD, JSON_HEAD, Scripted
from tls_test import make_certificate

PNG = b'\x89PNG\r\n\x1a\n' + bytes(range(256))
ANSWER = (b'{"candidates":[{"content":{"role":"model","parts":[{"text":"A weir."}]},"finishReason":"STOP","index":0}],'
          b'"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2},"modelVersion":"m"}')
CONVERSED = (b'{"output":{"message":{"role":"assistant","content":[{"text":"A weir."}]}},"stopReason":"end_turn",'
             b'"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}')
EVENT = b'data: ' + ANSWER + b'\r\n\r\n'


def sized(head, body):
    return head + b'Content-Length: %d\r\n\r\n%s' % (len(body), body)


class Host:
    """A web server with files; it keeps what it was asked for."""

    def __init__(self, address='127.0.0.1', certificate=None):
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host.requests.append((self.path, dict(self.headers)))
                host.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ':' in address else socket.AF_INET
            daemon_threads = True

        self.requests = []
        self.left = threading.Event()
        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        path = request.path.partition('?')[0]
        if path.startswith('/redirect/'):
            return self.send(request, 302, {'Location': path[len('/redirect/'):]})
        if path.startswith('/hops/'):
            left = int(path.rpartition('/')[2])
            return self.send(request, 302, {'Location': f'/hops/{left - 1}' if left > 1 else '/a.png'})
        if path.startswith('/slow'):
            request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nx')
            with contextlib.suppress(OSError):
                while request.connection.recv(1):
                    pass
            self.left.set()
            return None
        files = {'/a.png': ('image/png', PNG), '/b.jpg': ('image/jpeg', b'\xff\xd8\xff jpeg'),
                 '/c.pdf': ('application/pdf', b'%PDF-1.7'), '/page': ('text/html', b'<html>'),
                 '/large.png': ('image/png', b'x' * 60_000), '/larger.png': ('image/png', b'x' * 100_001)}
        if path not in files:
            return self.send(request, 404, {})
        kind, body = files[path]
        return self.send(request, 200, {'Content-Type': kind}, body)

    @staticmethod
    def send(request, status, fields, body=b''):
        request.send_response(status)
        for name, value in {**fields, 'Content-Length': str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def paths(self):
        return [path for path, _ in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(('::1', 0), family=socket.AF_INET6):
        return True
    return False


class Sentinel:
    """Counts who connects where nobody may."""

    def __init__(self, address):
        self.listener = socket.create_server((address, 0), family=socket.AF_INET6 if ':' in address else socket.AF_INET)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]

    def was_called(self):
        with contextlib.suppress(BlockingIOError):
            self.listener.accept()[0].close()
            return True
        return False

    def close(self):
        self.listener.close()


def picture(*urls):
    return [{'role': 'user', 'content': [{'type': 'text', 'text': 'What is it?'},
                                         *({'type': 'image_url', 'image_url': {'url': url}} for url in urls)]}]


class World:
    """Providers that keep what they are sent, a host of files, and gateways between them."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-fetch-'))
        certificate = make_certificate(self.folder, 'host', 'DNS:localhost,IP:127.0.0.1')
        self.ca = str(certificate[0])
        self.host, self.secure = Host(), Host(certificate=certificate)
        self.six = Host('::1' if has_ipv6() else '127.0.0.1')
        self.gemini, self.amazon, self.openai = Scripted(), Scripted(), Scripted()
        self.gemini.script = sized(JSON_HEAD, ANSWER)
        self.amazon.script = sized(JSON_HEAD, CONVERSED)
        self.openai.script = sized(JSON_HEAD, GOOD)
        self.gateways = []

    def gateway(self, fetch=None, **sections):
        providers = [provider(self.gemini.port, 'google', kind='gemini', api_key='k',
                              base_url=f'http://127.0.0.1:{self.gemini.port}'),
                     provider(self.amazon.port, 'amazon', kind='bedrock', bearer_token='k', region='us-east-1',
                              base_url=f'http://127.0.0.1:{self.amazon.port}'),
                     provider(self.openai.port, 'open')]
        models = [{'name': one['name'], 'targets': [{'provider': one['name'], 'model': 'm'}]} for one in providers]
        if fetch is not None:
            sections['fetch'] = {'enabled': True, 'allow_http': True, 'timeout': '5m', **fetch}
        self.gateways.append(Gateway(config(providers, models=models, **sections)).wait_ready())
        return self.gateways[-1]

    def close(self):
        for one in (*self.gateways, self.host, self.secure, self.six, self.gemini, self.amazon, self.openai):
            one.close()
        shutil.rmtree(self.folder)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

    def setUp(self):
        self.url = f'http://127.0.0.1:{self.world.host.port}'
        for one in (self.world.host, self.world.secure, self.world.six, self.world.gemini, self.world.openai):
            one.requests.clear()
        self.world.gemini.script = sized(JSON_HEAD, ANSWER)

    def refused(self, gateway, *urls, messages=None):
        status, _, body = gateway.chat(model='google', messages=messages or picture(*urls))
        self.assertEqual((status, body['error']['code']), (400, 'invalid_request'), body)
        self.assertTrue(body['error']['param'].startswith('messages'), body)
        self.assertEqual(self.world.gemini.requests, [], 'no provider is asked')
        return body['error']['message']

    def parts(self):
        """What the provider got of the last message."""
        return json.loads(self.world.gemini.requests[-1][1])['contents'][-1]['parts']

    def inlined(self, mime='image/png', data=PNG):
        return {'inlineData': {'mimeType': mime, 'data': base64.b64encode(data).decode()}}


class Fetched(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.world.gateway({
            'allow_private': ['127.0.0.1/32', '::1/128'], 'bytes_max': '100KB', 'per_call_max': 3,
            'ca_file': cls.world.ca})

    def test_a_picture_arrives_inline(self):
        status, _, body = self.gateway.chat(model='google', messages=picture(self.url + '/a.png?sig=1#x'))
        self.assertEqual(status, 200, body)
        self.assertEqual(body['choices'][0]['message']['content'], 'A weir.')
        self.assertEqual(self.parts()[1], self.inlined())

    def test_the_host_learns_nothing_of_the_client(self):
        self.gateway.chat(model='google', messages=picture(self.url + '/a.png?sig=1#x'),
                          headers={'Cookie': 'c=1', 'X-Sim': 'x', 'User-Agent': 'mine'})
        (path, headers), = self.world.host.requests
        self.assertEqual(path, '/a.png?sig=1')
        self.assertEqual({k.lower(): v for k, v in headers.items()}, {
            'host': f'127.0.0.1:{self.world.host.port}', 'accept': 'image/*, application/pdf',
            'accept-encoding': 'identity', 'user-agent': 'weir', 'connection': 'close'})

    def test_it_arrives_from_https_and_from_ipv6_and_by_name(self):
        for url, host in ((f'https://127.0.0.1:{self.world.secure.port}/a.png', self.world.secure),
                          (f'https://localhost:{self.world.secure.port}/a.png', self.world.secure),
                          (f'http://[::1]:{self.world.six.port}/a.png', self.world.six),
                          (f'http://localhost:{self.world.host.port}/a.png', self.world.host)):
            with self.subTest(url):
                if '[::1]' in url and not has_ipv6():
                    self.skipTest('there is no IPv6 here')
                status, _, body = self.gateway.chat(model='google', messages=picture(url))
                self.assertEqual(status, 200, body)
                self.assertEqual(self.parts()[1], self.inlined())
                self.assertEqual(host.paths()[-1], '/a.png')

    def test_a_stream_is_given_its_picture_too(self):
        self.world.gemini.script = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n' + EVENT
        stream = self.gateway.open_stream(model='google', messages=picture(self.url + '/a.png'))
        with contextlib.closing(stream):
            self.assertEqual(list(stream.events())[-1], '[DONE]')
        self.assertEqual(self.parts()[1], self.inlined())

    def test_several_arrive_in_their_places_and_repeated_ones_are_fetched_once(self):
        names = ('a.png', 'b.jpg', 'a.png')
        status, _, body = self.gateway.chat(model='google', messages=picture(*(f'{self.url}/{n}' for n in names)))
        self.assertEqual(status, 200, body)
        self.assertEqual(self.parts()[1:], [self.inlined(), self.inlined('image/jpeg', b'\xff\xd8\xff jpeg'), self.inlined()])
        self.assertEqual(sorted(self.world.host.paths()), ['/a.png', '/b.jpg'])

    def test_pictures_in_the_results_of_tools_arrive(self):
        status, _, body = self.gateway.call('POST', '/v1/messages', {
            'model': 'google', 'max_tokens': 10, 'messages': [
                {'role': 'user', 'content': 'Draw.'},
                {'role': 'assistant', 'content': [{'type': 'tool_use', 'id': 't', 'name': 'draw', 'input': {}}]},
                {'role': 'user', 'content': [{'type': 'tool_result', 'tool_use_id': 't', 'content': [
                    {'type': 'image', 'source': {'type': 'url', 'url': self.url + '/a.png'}}]}]}],
            'tools': [{'name': 'draw', 'input_schema': {'type': 'object'}}]})
        self.assertEqual(status, 200, body)
        self.assertIn(base64.b64encode(PNG), self.world.gemini.requests[-1][1])

    def test_a_file_arrives_at_who_fetches_pictures_only(self):
        status, _, body = self.gateway.call('POST', '/v1beta/models/open:generateContent', {'contents': [
            {'role': 'user', 'parts': [{'text': 'Read it.'}, {'fileData': {
                'mimeType': 'application/pdf', 'fileUri': self.url + '/c.pdf'}}]}]})
        self.assertEqual(status, 200, body)
        file = json.loads(self.world.openai.requests[-1][1])['messages'][-1]['content'][-1]['file']
        self.assertEqual(file['file_data'], 'data:application/pdf;base64,' + base64.b64encode(b'%PDF-1.7').decode())

    def test_a_file_of_the_responses_arrives_at_gemini(self):
        status, _, body = self.gateway.call('POST', '/v1/responses', {'model': 'google', 'input': [
            {'role': 'user', 'content': [{'type': 'input_file', 'file_url': self.url + '/c.pdf'},
                                         {'type': 'input_file', 'file_url': self.url + '/a.png'}]}]})
        self.assertEqual(status, 200, body)
        self.assertEqual(self.parts(), [self.inlined('application/pdf', b'%PDF-1.7'), self.inlined()])

    def test_a_picture_arrives_at_bedrock(self):
        status, _, body = self.gateway.chat(model='amazon', messages=picture(self.url + '/b.jpg'))
        self.assertEqual(status, 200, body)
        image = json.loads(self.world.amazon.requests[-1][1])['messages'][-1]['content'][1]['image']
        self.assertEqual(image, {'format': 'jpeg', 'source': {
            'bytes': base64.b64encode(b'\xff\xd8\xff jpeg').decode()}})

    def test_who_fetches_by_himself_is_given_the_url(self):
        status, _, body = self.gateway.chat(model='open', messages=picture(self.url + '/a.png'))
        self.assertEqual(status, 200, body)
        self.assertIn(self.url.encode() + b'/a.png', self.world.openai.requests[-1][1])
        self.assertEqual(self.world.host.requests, [])

    def test_three_redirects_are_followed_and_not_one_more(self):
        self.assertEqual(self.gateway.chat(model='google', messages=picture(self.url + '/hops/3'))[0], 200)
        self.assertEqual(self.parts()[1], self.inlined())
        self.world.gemini.requests.clear()
        self.assertIn('redirected too often', self.refused(self.gateway, self.url + '/hops/4'))

    def test_a_redirect_leads_nowhere_that_is_not_allowed(self):
        with contextlib.ExitStack() as stack:
            sentinel = stack.enter_context(contextlib.closing(Sentinel('127.0.0.2')))
            for location in (f'http://127.0.0.2:{sentinel.port}/', f'http://[::ffff:127.0.0.2]:{sentinel.port}/',
                             f'//127.0.0.2:{sentinel.port}/', f'http://0x7f000002:{sentinel.port}/',
                             f'http://2130706434:{sentinel.port}/', f'http://127.2:{sentinel.port}/',
                             f'http://[64:ff9b::7f00:2]:{sentinel.port}/', 'http://169.254.169.254/latest/meta-data/',
                             'file:///etc/passwd', f'http://127.0.0.1@127.0.0.2:{sentinel.port}/'):
                with self.subTest(location):
                    message = self.refused(self.gateway, self.url + '/redirect/' + location)
                    clause = message.partition('could not be fetched: ')[2]
                    self.assertTrue(clause, message)
                    self.assertNotRegex(clause, r'127|169\.254|7f00|213070|passwd')
                    self.assertFalse(sentinel.was_called())

    def test_what_cannot_be_taken_is_told_with_its_reason(self):
        for path, reason in (('/page', "of type 'text/html'"), ('/gone', 'status 404'),
                             ('/larger.png', '100000 bytes'), ('/c.pdf', "of type 'application/pdf'")):
            with self.subTest(path):
                message = self.refused(self.gateway, self.url + path + '?secret=s')
                self.assertIn(f"The image at '{self.url}{path}' could not be fetched: ", message)
                self.assertIn(reason, message)
                self.assertNotIn('secret', message)

    def test_the_files_of_a_call_are_limited_together(self):
        self.assertEqual(self.gateway.chat(model='google', messages=picture(self.url + '/large.png'))[0], 200)
        self.world.gemini.requests.clear()
        for urls in ((self.url + '/large.png', self.url + '/large.png?2'), [self.url + '/large.png'] * 2):
            with self.subTest(urls):
                self.assertIn('100000 bytes together', self.refused(self.gateway, *urls))

    def test_a_call_names_a_few_urls_only(self):
        message = self.refused(self.gateway, *(f'{self.url}/a.png?{i}' for i in range(4)))
        self.assertIn('3 URLs at most', message)
        self.assertEqual(self.world.host.requests, [])

    def test_one_that_fails_ends_the_others(self):
        self.world.host.left.clear()
        self.assertIn("/gone' could not be fetched", self.refused(self.gateway, self.url + '/slow', self.url + '/gone'))
        # The other one's connection was closed, if it was made at all.
        wait_for(lambda: '/slow' not in self.world.host.paths() or self.world.host.left.is_set(), 'the end')

    def test_a_client_that_leaves_ends_the_fetch(self):
        self.world.host.left.clear()
        body = json.dumps({'model': 'google', 'messages': picture(self.url + '/slow')})
        with self.gateway.connect() as sock:
            sock.sendall((f'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n'
                          f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode())
            wait_for(self.world.host.paths, 'the host was asked')
        wait_for(self.world.host.left.is_set, 'the host was left')
        self.assertEqual(self.world.gemini.requests, [])

    def test_outcomes_are_counted(self):
        def count(outcome):
            return self.gateway.metrics().get(f'weir_fetches_total{{outcome="{outcome}"}}', 0)
        before = count('ok'), count('upstream_error'), count('invalid_request')
        self.gateway.chat(model='google', messages=picture(self.url + '/a.png', self.url + '/b.jpg'))
        self.world.gemini.requests.clear()
        self.refused(self.gateway, self.url + '/gone')
        self.refused(self.gateway, 'http://10.0.0.1/')
        self.assertEqual((count('ok'), count('upstream_error'), count('invalid_request')),
                         (before[0] + 2, before[1] + 1, before[2] + 1))

    def test_a_host_that_cannot_prove_who_it_is_gives_nothing(self):
        distrustful = self.world.gateway({'allow_private': ['127.0.0.0/8']})
        self.assertIn('cannot be reached', self.refused(distrustful, f'https://127.0.0.1:{self.world.secure.port}/a.png'))
        self.assertEqual(self.world.secure.requests, [])

    def test_a_slow_host_is_given_up(self):
        hasty = self.world.gateway({'allow_private': ['127.0.0.0/8'], 'timeout': '200ms'})
        self.assertIn('did not answer in time', self.refused(hasty, self.url + '/slow'))

    def test_a_fetch_that_fails_counts_against_the_rate(self):
        limited = self.world.gateway({}, limits={'per_ip': {'requests': '2/h'}})
        self.refused(limited, 'https://10.0.0.1/')
        self.refused(limited, 'https://10.0.0.1/')
        status, _, body = limited.chat(model='google', messages=picture('https://10.0.0.1/'))
        self.assertEqual((status, body['error']['code']), (429, 'rate_limited'))


class Guarded(Case):
    """Fetching is on, and nothing private is allowed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.world.gateway({})

    def test_nothing_private_is_asked(self):
        four, six = self.world.host.port, self.world.six.port
        for url in (f'http://127.0.0.1:{four}/a.png', f'http://localhost:{four}/a.png', f'http://[::1]:{six}/a.png',
                    f'http://0.0.0.0:{four}/a.png', f'http://[::]:{six}/a.png',
                    f'http://[::ffff:127.0.0.1]:{four}/a.png', f'http://[64:ff9b::127.0.0.1]:{four}/a.png',
                    f'http://[2002:7f00:1::]:{four}/a.png', f'http://[::127.0.0.1]:{four}/a.png',
                    'http://10.0.0.1/', 'http://100.64.0.1/', 'http://192.168.0.1/', 'http://169.254.169.254/',
                    'http://[fd00:ec2::254]/', 'http://224.0.0.1/', 'http://198.18.0.1/'):
            with self.subTest(url):
                self.assertIn('not public', self.refused(self.gateway, url))
        self.assertEqual(self.world.host.requests + self.world.six.requests, [])

    def test_numbers_are_no_names(self):
        port = self.world.host.port
        for host in ('2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '017700000001', '127.0.0.1.'):
            with self.subTest(host):
                self.assertIn('its host', self.refused(self.gateway, f'http://{host}:{port}/a.png'))
        self.assertEqual(self.world.host.requests, [])

    def test_a_password_is_refused_and_not_repeated(self):
        message = self.refused(self.gateway, 'https://someone:hunter2@images.example/a.png')
        self.assertIn('https://images.example/a.png', message)
        self.assertNotIn('hunter2', message)

    def test_only_https_unless_allowed(self):
        strict = self.world.gateway({'allow_http': False, 'allow_private': ['127.0.0.0/8']})
        self.assertIn('only https', self.refused(strict, self.url + '/a.png'))
        self.assertEqual(self.world.host.requests, [])


class Off(Case):
    def test_it_is_off_by_default_and_says_nothing_of_it(self):
        gateway = self.world.gateway()
        message = self.refused(gateway, self.url + '/a.png')
        self.assertIn('base64', message)
        self.assertNotIn('fetch.enabled', message)
        self.assertEqual(self.world.host.requests, [])
        self.assertNotIn('weir-names', ' '.join(
            task.read_text() for task in pathlib.Path(f'/proc/{gateway.pid}/task').glob('*/comm')))


if __name__ == '__main__':
    unittest.main()
