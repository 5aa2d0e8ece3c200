"""Requests that two servers could read in two ways, as bytes.

Each case is a first request and, where bytes can be taken for one, a request smuggled inside it. The test sends an
honest request right behind both. `alone` says which of them Weir answers when nothing stands in front of it:
  f, s, n   the first, the smuggled and the next request were answered, in this order
  F         the first was refused as malformed after its head, and the connection closed
  x         there was no acceptable head: one refusal, and the connection closed
"""
import collections
import json

from harness import API_KEY

Case = collections.namedtuple('Case', 'name alone payload')

POST = 'POST /v1/chat/completions HTTP/1.1'
GET = 'GET /v1/models HTTP/1.1'
CHUNKED = 'Transfer-Encoding: chunked'
cases = []


def head(which, *lines, start=POST, host='Host: weir.test', end='\r\n'):
    """`which` becomes the id of the request once the case has a number."""
    said = [start, *([host] if host else []), f'Authorization: Bearer {API_KEY}', f'X-Request-Id: {{case}}-{which}', *lines]
    return (end.join(said) + end + end).encode('latin-1')


BODY = json.dumps({'model': 'm', 'messages': [{'role': 'user', 'content': '{case}'}]}).encode()
BODY_SIZE = len(BODY) - len('{case}') + 3  # the number of a case has three digits
SMUGGLED = head('s', start=GET)
# Bytes that are the end of a chunked body for one reader and part of a sized one for the other.
END_THEN_SMUGGLED = b'0\r\n\r\n' + SMUGGLED


def size_of(payload):
    return len(payload.replace(b'{case}', b'123'))


def sized(payload, by=0):
    return f'Content-Length: {size_of(payload) + by}'


def chunk(payload, size=None, extension='', end='\r\n', after='\r\n'):
    size = f'{size_of(payload):x}' if size is None else size
    return f'{size}{extension}{end}'.encode('latin-1') + payload + after.encode('latin-1')


def chunked(payload=BODY, last='0\r\n', trailer='', **how):
    return chunk(payload, **how) + f'{last}{trailer}\r\n'.encode('latin-1')


def add(name, alone, payload):
    cases.append(Case(name, alone, payload))


def post(name, alone, *lines, body=BODY, **how):
    add(name, alone, head('f', *lines, **how) + body)


# --- what says how long the body is: both ways at once

post('CL.TE', 'x', sized(END_THEN_SMUGGLED), CHUNKED, body=END_THEN_SMUGGLED)
post('TE.CL', 'x', 'Content-Length: 4', CHUNKED, body=chunked(SMUGGLED))
post('TE before CL', 'x', CHUNKED, sized(END_THEN_SMUGGLED), body=END_THEN_SMUGGLED)
post('CL 0 with TE', 'x', 'Content-Length: 0', CHUNKED, body=chunked())
post('TE on HTTP/1.0', 'x', CHUNKED, body=chunked(), start=POST.replace('1.1', '1.0'))
post('CL.TE on HTTP/1.0', 'x', sized(END_THEN_SMUGGLED), CHUNKED, 'Connection: keep-alive', body=END_THEN_SMUGGLED,
     start=POST.replace('1.1', '1.0'))

# --- Transfer-Encoding that one reader takes for chunked and another does not, with a length beside it and without

for name, field in {
        'unknown coding': 'Transfer-Encoding: xchunked', 'longer word': 'Transfer-Encoding: chunkedx',
        'shorter word': 'Transfer-Encoding: chunk', 'identity': 'Transfer-Encoding: identity',
        'chunked then identity': 'Transfer-Encoding: chunked, identity',
        'identity then chunked': 'Transfer-Encoding: identity, chunked',
        'gzip then chunked': 'Transfer-Encoding: gzip, chunked', 'chunked twice': 'Transfer-Encoding: chunked, chunked',
        'two fields': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
        'two equal fields': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
        'first an unknown field': 'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked',
        'a parameter': 'Transfer-Encoding: chunked;q=1', 'quotes': 'Transfer-Encoding: "chunked"',
        'empty': 'Transfer-Encoding:', 'leading comma': 'Transfer-Encoding: ,chunked',
        'trailing comma': 'Transfer-Encoding: chunked,', 'vertical tab before': 'Transfer-Encoding: \x0bchunked',
        'form feed after': 'Transfer-Encoding: chunked\x0c', 'NUL before': 'Transfer-Encoding: \0chunked',
        'NUL after': 'Transfer-Encoding: chunked\0', 'no-break space': 'Transfer-Encoding: \xa0chunked',
        'next line character': 'Transfer-Encoding: chunked\x85', 'space before the colon': 'Transfer-Encoding : chunked',
        'tab before the colon': 'Transfer-Encoding\t: chunked', 'NUL in the name': 'Transfer-Encoding\0: chunked',
        'underscore in the name': 'Transfer_Encoding: chunked', 'space before the name': ' Transfer-Encoding: chunked',
        'on a folded line': 'Transfer-Encoding:\r\n chunked', 'as a folded line': 'X-A: b\r\n Transfer-Encoding: chunked',
        'behind a bare LF': 'X-A: b\nTransfer-Encoding: chunked', 'behind a bare CR': 'X-A: b\rTransfer-Encoding: chunked',
        'ended by a bare LF': 'Transfer-Encoding: chunked\nX-A: b', 'behind LF CR': 'X-A: b\n\rTransfer-Encoding: chunked',
}.items():
    post(f'TE {name}, with a length', 'x', field, sized(END_THEN_SMUGGLED), body=END_THEN_SMUGGLED)
    post(f'TE {name}', 'x', field, body=chunked())

post('TE in capitals', 'fn', 'TRANSFER-ENCODING: CHUNKED', body=chunked())
post('TE in blanks', 'fn', 'Transfer-Encoding:\t chunked \t', body=chunked())
post('chunked as Content-Encoding only', 'fn', 'Content-Encoding: chunked', sized(END_THEN_SMUGGLED), body=END_THEN_SMUGGLED)

# --- Content-Length that is no one number

N = BODY_SIZE
for name, fields in {
        'twice, different': f'Content-Length: {N}\r\nContent-Length: 3', 'twice, equal': f'Content-Length: {N}\r\nContent-Length: {N}',
        'twice, first zero': f'Content-Length: 0\r\nContent-Length: {N}', 'a list, equal': f'Content-Length: {N}, {N}',
        'a list, different': f'Content-Length: {N}, 3', 'plus': f'Content-Length: +{N}', 'minus': f'Content-Length: -{N}',
        'minus zero': 'Content-Length: -0', 'hexadecimal': f'Content-Length: 0x{N:x}', 'underscore': f'Content-Length: {N}_0',
        'a fraction': f'Content-Length: {N}.0', 'an exponent': 'Content-Length: 1e1', 'a word behind': f'Content-Length: {N} bytes',
        'two numbers': f'Content-Length: {N} {N}', 'a semicolon': f'Content-Length: {N};', 'quotes': f'Content-Length: "{N}"',
        'empty': 'Content-Length:', 'vertical tab': f'Content-Length: \x0b{N}', 'NUL behind': f'Content-Length: {N}\0',
        'a superscript': f'Content-Length: {N}\xb2', 'beyond 64 bits': f'Content-Length: {2 ** 64 + N}',
        'beyond 63 bits': f'Content-Length: {2 ** 63 + N}', 'zeros without end': f'Content-Length: {N:0400}',
        'space before the colon': f'Content-Length : {N}', 'NUL in the name': f'Content-Length\0: {N}',
        'underscore in the name': f'Content_Length: {N}', 'on a folded line': f'Content-Length:\r\n {N}',
        'behind a bare LF': f'X-A: b\nContent-Length: {N}', 'behind a bare CR': f'X-A: b\rContent-Length: {N}',
}.items():
    post(f'CL {name}', 'x', fields)
post('CL beyond 32 bits', 'F', f'Content-Length: {2 ** 32 + N}')
post('CL with leading zeros', 'fn', f'Content-Length: 000{N}')
post('CL in blanks', 'fn', f'Content-Length:\t {N} \t')
post('CL too short, the rest a request', 'fsn', sized(BODY), body=BODY + SMUGGLED)
post('CL zero, the body a request', 'fsn', 'Content-Length: 0', body=SMUGGLED)
post('no length, the body a request', 'fsn', body=SMUGGLED)
post('CL around a request', 'fn', sized(SMUGGLED), body=SMUGGLED)
post('GET with a length around a request', 'fn', sized(SMUGGLED), body=SMUGGLED, start=GET)
# Where the chunks end is not looked for when nobody wants them: the connection ends.
post('GET with a chunk around a request', 'f', CHUNKED, body=chunked(SMUGGLED), start=GET)
post('HEAD with a length around a request', 'fn', sized(SMUGGLED), body=SMUGGLED, start=GET.replace('GET', 'HEAD'))
post('DELETE with a length around a request', 'fn', sized(SMUGGLED), body=SMUGGLED, start=GET.replace('GET', 'DELETE'))
post('unknown method with a length around a request', 'fn', sized(SMUGGLED), body=SMUGGLED, start=GET.replace('GET', 'BREW'))

# --- chunks

for name, body in {
        'size with 0x': chunked(size=f'0x{N:x}'), 'size with plus': chunked(size=f'+{N:x}'),
        'size with minus': chunked(size=f'-{N:x}'), 'size with underscore': chunked(size=f'0_{N:x}'),
        'size of 17 digits': chunked(size=f'{N:017x}'), 'size beyond 64 bits': chunked(size=f'1{N:016x}'),
        'size of the top bit': chunked(size=f'8{N:015x}'), 'size of all bits': chunked(size='f' * 16),
        'size empty': chunked(size=''), 'size a word': chunked(size='size'), 'size behind a blank': chunked(size=f' {N:x}'),
        'size before a blank': chunked(size=f'{N:x} '), 'size before a tab': chunked(size=f'{N:x}\t'),
        'size before a NUL': chunked(size=f'{N:x}\0'), 'size before a point': chunked(size=f'{N:x}.0'),
        'size line ended by LF': chunked(end='\n'), 'size line ended by CR': chunked(end='\r'),
        'size line ended by CR CR LF': chunked(end='\r\r\n'), 'size line ended by LF CR': chunked(end='\n\r'),
        'LF in an extension': chunked(extension=';a\n'), 'CR in an extension': chunked(extension=';a=\rb'),
        'NUL in an extension': chunked(extension=';a=\0'), 'CR LF in a quoted extension': chunked(extension=';a="\r\n"'),
        'extension without a semicolon': chunked(extension=' a=b'), 'long extension': chunked(extension=';' + 'a' * 300),
        'request in an extension behind LF': chunk(BODY, extension=';\n' + 'x' * 8) + END_THEN_SMUGGLED,
        'nothing behind the data': chunked(after=''), 'LF behind the data': chunked(after='\n'),
        'CR behind the data': chunked(after='\r'), 'one byte behind the data': chunked(after='x\r\n'),
        'two bytes for CR LF': chunked(after='xx'), 'last chunk ended by LF': chunked(last='0\n'),
        'last chunk with minus': chunked(last='-0\r\n'), 'last chunk with 0x': chunked(last='0x0\r\n'),
        'Content-Length as trailer': chunked(trailer='Content-Length: 3\r\n'),
        'Transfer-Encoding as trailer': chunked(trailer='Transfer-Encoding: chunked\r\n'),
        'Host as trailer': chunked(trailer='Host: other.test\r\n'),
        'Authorization as trailer': chunked(trailer='Authorization: Bearer x\r\n'),
        'trailer without a colon': chunked(trailer='GET /v1/models HTTP/1.1\r\n'),
        'trailer folded': chunked(trailer='X-A: b\r\n c\r\n'), 'trailer behind a blank': chunked(trailer=' X-A: b\r\n'),
        'trailer ended by LF': chunked(trailer='X-A: b\n'), 'NUL in a trailer': chunked(trailer='X-A: \0\r\n'),
        'too many trailers': chunked(trailer=''.join(f'X-{i}: b\r\n' for i in range(20))),
}.items():
    post(f'chunk: {name}', 'F', CHUNKED, body=body)
for name, body in {
        'size in capitals': chunked(size=f'{N:X}'), 'size with leading zeros': chunked(size=f'{N:016x}'),
        'an extension': chunked(extension=';a=b'), 'a quoted extension': chunked(extension=';a="b;c"'),
        'last chunk with an extension': chunked(last='0;a=b\r\n'), 'last chunk of several zeros': chunked(last='0000\r\n'),
        'an ordinary trailer': chunked(trailer='X-A: b\r\n'), 'around a request': chunked(SMUGGLED),
        'chunks of one byte': b''.join(chunk(BODY.replace(b'{case}', b'odd')[i:i + 1]) for i in range(N)) + b'0\r\n\r\n',
}.items():
    post(f'chunk: {name}', 'fn', CHUNKED, body=body)
post('chunk: a request behind the last', 'fsn', CHUNKED, body=chunked() + SMUGGLED)
post('chunk: a request in a trailer', 'F', CHUNKED, body=chunk(BODY) + b'0\r\n' + SMUGGLED)

# --- the head as such

for name, payload in {
        'lines ended by LF': head('f', f'Content-Length: {N}', end='\n') + BODY,
        'blank line of one LF': head('f', f'Content-Length: {N}')[:-2] + b'\n' + BODY,
        'blank line of CR CR LF': head('f', f'Content-Length: {N}')[:-2] + b'\r\r\n' + BODY,
        'request line ended by LF': head('f', f'Content-Length: {N}').replace(b'HTTP/1.1\r\n', b'HTTP/1.1\n') + BODY,
        'request line ended by CR': head('f', f'Content-Length: {N}').replace(b'HTTP/1.1\r\n', b'HTTP/1.1\r') + BODY,
        'two empty lines in front': b'\r\n\r\n' + head('f', start=GET), 'LF in front': b'\n' + head('f', start=GET),
        'blank in front': b' ' + head('f', start=GET), 'CR in front': b'\r' + head('f', start=GET),
        'NUL in front': b'\0' + head('f', start=GET),
}.items():
    add(f'head: {name}', 'x', payload)
add('head: one empty line in front', 'fn', b'\r\n' + head('f', start=GET))
for name, start in {
        'two blanks': 'GET  /v1/models HTTP/1.1', 'a tab': 'GET\t/v1/models HTTP/1.1', 'blank in the path': 'GET /v1/models x HTTP/1.1',
        'blank behind': GET + ' ', 'NUL in the path': 'GET /v1/models\0 HTTP/1.1', 'NUL in the method': 'GET\0 /v1/models HTTP/1.1',
        'vertical tab': 'GET /v1/models\x0bHTTP/1.1', 'high byte in the path': 'GET /v1/models\xff HTTP/1.1',
        'no version': 'GET /v1/models', 'HTTP/1.2': GET.replace('1.1', '1.2'), 'HTTP/2.0': GET.replace('1.1', '2.0'),
        'HTTP/1.10': GET.replace('1.1', '1.10'), 'HTTP/01.1': GET.replace('1.1', '01.1'), 'http/1.1': GET.replace('HTTP', 'http'),
        'ICY/1.1': GET.replace('HTTP', 'ICY'), 'absolute, same host': 'GET http://weir.test/v1/models HTTP/1.1',
        'absolute, other host': 'GET http://other.test/v1/models HTTP/1.1', 'absolute, no path': 'GET http://weir.test HTTP/1.1',
        'no slash': 'GET v1/models HTTP/1.1', 'asterisk': 'GET * HTTP/1.1', 'a fragment': 'GET /v1/models#a HTTP/1.1',
        'method with a colon': 'GET: /v1/models HTTP/1.1', 'method in brackets': '(GET) /v1/models HTTP/1.1',
        'no method': ' /v1/models HTTP/1.1', 'no path': 'GET HTTP/1.1',
}.items():
    add(f'request line: {name}', 'x', head('f', start=start))
add('request line: lower case method', 'fn', head('f', start=GET.replace('GET', 'get')))
add('request line: CONNECT', 'fn', head('f', start='CONNECT weir.test:443 HTTP/1.1'))
add('request line: OPTIONS of everything', 'fn', head('f', start='OPTIONS * HTTP/1.1'))
add('request line: percent signs', 'fn', head('f', start='GET /v1/models/%2e%2e%2f%00 HTTP/1.1'))
add('request line: two slashes', 'fn', head('f', start='GET //v1//models HTTP/1.1'))
add('request line: dots', 'fn', head('f', start='GET /v1/../v1/models HTTP/1.1'))
for name, lines in {
        'Host twice, different': ['Host: other.test'], 'Host twice, equal': ['Host: weir.test'],
        'Host behind a blank': [' Host: other.test'], 'no colon': ['X-A'], 'empty name': [': b'], 'name of a blank': [' : b'],
        'space in the name': ['X A: b'], 'brackets in the name': ['X(A): b'], 'high byte in the name': ['X\xe9: b'],
        'NUL in the name': ['X\0A: b'], 'NUL in a value': ['X-A: b\0c'], 'CR in a value': ['X-A: b\rc'], 'ESC in a value': ['X-A: \x1b[1m'],
        'DEL in a value': ['X-A: \x7f'], 'folded with a tab': ['X-A: b\r\n\tc'], 'folded with nothing': ['X-A: b\r\n '],
        'underscore': ['X_A: b'], 'a request behind CR': ['X-A: b\r\rGET /v1/models HTTP/1.1'],
        'Host in a folded line': ['X-A: b\r\n Host: other.test'],
}.items():
    add(f'field: {name}', 'x', head('f', *lines, start=GET))
for name, host in {'none': '', 'empty': 'Host:', 'a path': 'Host: weir.test/v1', 'a user': 'Host: a@weir.test', 'a blank': 'Host: weir test',
                   'a list': 'Host: weir.test, other.test', 'a NUL': 'Host: weir.test\0', 'a high byte': 'Host: w\xe9ir.test',
                   'folded': 'Host:\r\n weir.test', 'a space before the colon': 'Host : weir.test'}.items():
    add(f'host: {name}', 'x', head('f', start=GET, host=host))
for name, lines in {
        'Connection names the length': ['Connection: content-length'], 'Connection names the coding': ['Connection: transfer-encoding'],
        'Connection names the key': ['Connection: authorization'], 'Expect': ['Expect: 100-continue'], 'TE': ['TE: trailers, chunked'],
        'Trailer': ['Trailer: Content-Length'], 'Upgrade to h2c': ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
        'Upgrade to websocket': ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'],
        'method in a field': ['X-HTTP-Method-Override: DELETE'], 'path in a field': ['X-Original-URL: /api/v1/keys', 'X-Rewrite-URL: /api/v1/keys'],
}.items():
    post(f'field: {name}', 'fn', f'Content-Length: {N}', *lines)
post('field: Expect around a request', 'fn', sized(SMUGGLED), 'Expect: 100-continue', body=SMUGGLED)
post('field: unknown Expect around a request', 'fn', sized(SMUGGLED), 'Expect: 200-ok', body=SMUGGLED)
post('field: Connection close, then a request', 'f', f'Content-Length: {N}', 'Connection: close', body=BODY + SMUGGLED)
post('field: HTTP/1.0, then a request', 'f', f'Content-Length: {N}', body=BODY + SMUGGLED, start=POST.replace('1.1', '1.0'))
post('field: HTTP/1.0 kept, then a request', 'fsn', f'Content-Length: {N}', 'Connection: keep-alive', body=BODY + SMUGGLED,
     start=POST.replace('1.1', '1.0'))


def numbered():
    """Each case with its number in place; the number is what all logs tell it by."""
    assert len({case.name for case in cases}) == len(cases)
    return [(f'{number}', case.name, case.alone, case.payload.replace(b'{case}', f'{number}'.encode()))
            for number, case in enumerate(cases, 100)]


def honest(which, *lines):
    """A request nobody can misread."""
    return head('n', *lines, start=GET).replace(b'{case}-n', which.encode())
