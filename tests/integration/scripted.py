"""A provider that says exactly what a test wants it to say."""
import contextlib
import socket
import struct
import threading

GOOD = (b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,'
        b'"completion_tokens":1,"total_tokens":2}}')
CHUNK = (b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
         b'"delta":{"content":"hi"},"finish_reason":null}]}\n\n')
JSON_HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
SSE_HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'


class Scripted:
    """A provider that answers every request with the same bytes, then closes."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.script = b''
        self.stay = False
        self.reset = False
        self.requests = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def read(self, connection):
        """One request: its head and its body."""
        received = b''
        while b'\r\n\r\n' not in received:
            received += connection.recv(65536)
        head, _, body = received.partition(b'\r\n\r\n')
        lengths = [line.split(b':')[1] for line in head.split(b'\r\n') if line.lower().startswith(b'content-length')]
        length = int(lengths[0]) if lengths else 0
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append((head, body))
        return head, body

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            self.read(connection)
            for part in [self.script] if isinstance(self.script, bytes) else self.script:
                connection.sendall(part)
            if self.stay:
                connection.recv(1)
            if self.reset:
                # The end is no FIN but a reset, and what has not arrived yet is lost.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def close(self):
        self.listener.close()
