#!/usr/bin/env python3
"""Measures what a call costs in CPU time, against nginx and haproxy in the same run. `script/bench` calls it.

The proxy has processor 0 to itself; load and provider share processor 1. CPU is the scheduler's own run time
(/proc/PID/task/*/schedstat): stable to a few percent where requests per second and latency follow the machine.
Every proxy is started anew for every round, and the rounds take turns.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROXY_CPU, LOAD_CPU = '0', '1'
ADMIN_KEY = 'bench-admin-key-0123456789abcdefghijklmno'
API_KEY = 'sk-weir-' + 'BenchKeyBenchKeyBenchKeyBench001'

START_SECONDS = 20      # until a program must be ready
STOP_SECONDS = 20       # until it is killed
# Weir writes its ledger and its access log a moment after the answer; that work belongs to the calls.
SETTLE_SECONDS = 0.5
# /proc/PID/stat counts in ticks: below two of them the difference to schedstat is rounding.
TICK = 1 / os.sysconf('SC_CLK_TCK')

STREAM_CASES = [  # streams, pause in ms, pieces of text
    (500, 20, 50), (2000, 20, 50), (5000, 250, 20)]
RSS_STREAMS = 2000
RSS_TLS_STREAMS = 500
IDLE_CONNECTIONS = 10000


class BenchError(Exception):
    """Something that ends the run, in words for whoever started it."""


# --- what the kernel knows of a process

def family(pid):
    """A process and all its descendants."""
    children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [pid] + [one for child in children for one in family(int(child))]


class Cpu:
    """Run time in seconds at one moment: by thread, and of each process with the threads that have ended."""

    def __init__(self, pid):
        self.threads, self.whole = {}, 0.0
        for process in family(pid):
            for task in pathlib.Path(f'/proc/{process}/task').iterdir():
                with contextlib.suppress(OSError):  # a thread may end between the listing and the read
                    name = (task / 'comm').read_text().strip()
                    self.threads[task.name] = (name, int((task / 'schedstat').read_text().split()[0]) / 1e9)
            fields = pathlib.Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()
            self.whole += (int(fields[11]) + int(fields[12])) * TICK

    def since(self, before, prefix=''):
        """Seconds that threads whose name begins with prefix ran; with no prefix, ended threads as well."""
        ran = sum(seconds - before.threads.get(thread, ('', 0.0))[1]
                  for thread, (name, seconds) in self.threads.items() if name.startswith(prefix))
        if prefix:
            return ran
        coarse = self.whole - before.whole
        has_ended = bool(set(before.threads) - set(self.threads))
        return coarse if has_ended and coarse > ran + 2 * TICK else ran


def rss_kb(pid):
    return sum(int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{one}/status').read_text()).group(1))
               for one in family(pid))


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


# --- programs

def free_port():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        return taken.getsockname()[1]


def accepts(port):
    def check():
        with socket.create_connection(('127.0.0.1', port), timeout=1):
            return True
    return check


def answers(url):
    def check():
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    return check


class Programs:
    """Starts, awaits and ends what the bench runs: each by its own process id, none left behind."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.count = 0

    def start(self, cpu, *command, ready=None, environment=None, **pipes):
        self.count += 1
        log = self.folder / f'{self.count:03}-{pathlib.Path(command[0]).name}.log'
        with open(log, 'wb') as out:
            process = subprocess.Popen(
                ['taskset', '-c', cpu, *map(str, command)], env={**os.environ, **(environment or {})},
                **{'stdin': subprocess.DEVNULL, 'stdout': out, 'stderr': out, **pipes})
        process.log = log
        self.running.append(process)
        if ready:
            self.wait_for(process, ready)
        return process

    def wait_for(self, process, condition, seconds=START_SECONDS):
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):  # urllib's errors are among them
                if condition():
                    return
            if process.poll() is not None or time.monotonic() > until:
                what = 'ended' if process.poll() is not None else 'is not ready'
                raise BenchError(f'{process.args[3]} {what}:\n{process.log.read_text(errors="replace")[-2000:]}')
            time.sleep(0.02)

    def stop(self, *processes):
        for process in processes:
            if process.poll() is None:
                pids = family(process.pid)
                process.terminate()
                try:
                    process.wait(timeout=STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    # Killed, a parent takes no child with it.
                    for pid in pids:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, 9)
                    process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            self.running.remove(process)

    def stop_all(self):
        self.stop(*reversed(self.running))


class Certificate:
    """An authority of the bench's own and a certificate of localhost from it."""

    def __init__(self, folder):
        self.authority, self.chain, self.key = folder / 'ca.crt', folder / 'localhost.crt', folder / 'localhost.key'
        ca_key, request, names = folder / 'ca.key', folder / 'localhost.csr', folder / 'names'
        names.write_text('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
        curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

        def openssl(*arguments):
            subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True)
        openssl('req', '-x509', *curve, '-keyout', ca_key, '-out', self.authority, '-days', 2, '-subj', '/CN=bench')
        openssl('req', *curve, '-keyout', self.key, '-out', request, '-subj', '/CN=localhost')
        openssl('x509', '-req', '-in', request, '-CA', self.authority, '-CAkey', ca_key, '-CAcreateserial',
                '-days', 2, '-extfile', names, '-out', self.chain)


# --- the proxies: each is started as (programs, folder, provider's port, certificate or None) -> Proxy

class Proxy:
    def __init__(self, process, port, key=API_KEY, call_threads=''):
        self.process, self.port, self.key, self.call_threads = process, port, key, call_threads

    @property
    def pid(self):
        return self.process.pid


def start_nginx(programs, folder, upstream, certificate):
    """Plain keep-alive, nothing logged, no answer buffered: what nginx takes to pass the same bytes."""
    port = free_port()
    home = pathlib.Path(tempfile.mkdtemp(prefix='nginx-', dir=folder))
    # nginx 1.22 leaves TLS 1.3 out unless told, and everyone else here speaks it.
    tls = f'''proxy_ssl_trusted_certificate {certificate.authority}; proxy_ssl_verify on;
            proxy_ssl_name localhost; proxy_ssl_server_name on; proxy_ssl_session_reuse on;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;''' if certificate else ''
    temporary = ' '.join(f'{kind}_temp_path {home}/{kind};'
                         for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
    (home / 'nginx.conf').write_text(f'''
        daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log error;
        events {{ worker_connections {descriptors() - 64}; }}
        http {{
            access_log off; {temporary}
            upstream provider {{
                server 127.0.0.1:{upstream}; keepalive 8192; keepalive_requests 1000000000; keepalive_timeout 1h;
            }}
            server {{
                listen 127.0.0.1:{port} backlog=16384; keepalive_requests 1000000000; keepalive_timeout 1h;
                client_max_body_size 64m; client_body_buffer_size 512k; {tls}
                location / {{
                    proxy_pass {'https' if certificate else 'http'}://provider; proxy_http_version 1.1;
                    proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 1h;
                }}
            }}
        }}''')
    process = programs.start(PROXY_CPU, 'nginx', '-p', home, '-c', home / 'nginx.conf', '-e', home / 'error.log',
                             ready=accepts(port))
    return Proxy(process, port)


def haproxy_connections():
    """haproxy counts two descriptors for each client and refuses to start when the limit is lower."""
    return (descriptors() - 200) // 2


def start_haproxy(programs, folder, upstream, certificate):
    port = free_port()
    file = pathlib.Path(tempfile.mkdtemp(prefix='haproxy-', dir=folder)) / 'haproxy.cfg'
    tls = f' ssl verify required ca-file {certificate.authority} sni str(localhost)' if certificate else ''
    file.write_text(f'''
global
    nbthread 1
    maxconn {haproxy_connections()}
    tune.pool-low-fd-ratio 90
    tune.pool-high-fd-ratio 95
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
    option http-keep-alive
    option http-no-delay
    http-reuse always
frontend in
    bind 127.0.0.1:{port} backlog 16384
    default_backend out
backend out
    server provider 127.0.0.1:{upstream} pool-purge-delay 1h{tls}
''')
    return Proxy(programs.start(PROXY_CPU, 'haproxy', '-f', file, ready=accepts(port)), port)


def weir_configuration(port, operations, upstream, certificate, access_log):
    """Everything on, nothing ever refused."""
    provider = {'name': 'mock', 'kind': 'openai_compatible', 'api_key': 'sk-mock', 'connections_max': 8192,
                'base_url': f'{"https://localhost" if certificate else "http://127.0.0.1"}:{upstream}/v1'}
    if certificate:
        provider['ca_file'] = str(certificate.authority)
    words = [f'forbidden{i}' for i in range(90)] + [f'the wrong phrase {i}' for i in range(10)]
    # JSON is YAML.
    return json.dumps({
        'server': {'listen': f'127.0.0.1:{port}', 'operations': f'127.0.0.1:{operations}', 'threads': 1},
        'providers': [provider],
        'models': [{'name': 'bench', 'targets': [{'provider': 'mock', 'model': 'bench-upstream'}],
                    'price': {'input': '1 USD', 'output': '2 USD'}}],
        'limits': {'per_ip': {'requests': '900000000/min', 'concurrency': 100000}},
        'guardrails': {'output': {'max_length': 1000000, 'banned_words': words}},
        'log': {'access': str(access_log)}}, indent=1)


def start_weir(programs, folder, upstream, certificate):
    port, operations = free_port(), free_port()
    home = pathlib.Path(tempfile.mkdtemp(prefix='weir-', dir=folder))
    (home / 'weir.yaml').write_text(
        weir_configuration(port, operations, upstream, certificate, home / 'access.log'))
    process = programs.start(PROXY_CPU, Bench.build / 'weir', 'serve', '--config', home / 'weir.yaml',
                             '--data', home / 'data', ready=answers(f'http://127.0.0.1:{operations}/readyz'),
                             environment={'WEIR_BOOTSTRAP_ADMIN_KEY': ADMIN_KEY, 'WEIR_BOOTSTRAP_API_KEY': API_KEY})
    # The first key has no limits: one that has is what a call is counted against.
    request = urllib.request.Request(
        f'http://127.0.0.1:{port}/api/v1/keys', method='POST', headers={'Authorization': f'Bearer {ADMIN_KEY}'},
        data=json.dumps({'requests_per_minute': 900000000, 'concurrency_max': 100000}).encode())
    with urllib.request.urlopen(request, timeout=5) as response:
        key = json.load(response)['key']
    return Proxy(process, port, key, 'weir-call')


STARTERS = {'nginx': start_nginx, 'haproxy': start_haproxy, 'weir': start_weir}


# --- the table

class Table:
    COLUMNS = ('case', 'proxy', 'us calls', 'us process', 'calls/nginx', 'process/nginx', 'per s', 'p50 us', 'p99 us')
    WIDTHS = (36, 8, 9, 10, 11, 13, 9, 9, 9)

    def __init__(self):
        self.rows = []
        self.show(self.COLUMNS)

    def show(self, row):
        cells = [cell.ljust(width) if i < 2 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, self.WIDTHS))]
        print(' '.join(cells).rstrip(), flush=True)

    def add(self, *row):
        row = (*row, *[''] * (len(self.COLUMNS) - len(row)))
        self.rows.append(row)
        self.show(row)

    def markdown(self):
        return ['| ' + ' | '.join(self.COLUMNS) + ' |',
                '|---|---|' + '--:|' * (len(self.COLUMNS) - 2),
                *('| ' + ' | '.join(row) + ' |' for row in self.rows)]


class Bench:
    build = ROOT / 'build/release'

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-bench-'))
        # nginx's worker gives up root and must still find its own folder.
        self.folder.chmod(0o755)
        self.programs = Programs(self.folder)
        self.table = Table()
        self.tls_files = None

    def close(self):
        self.programs.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self):
        self.tls_files = self.tls_files or Certificate(self.folder)
        return self.tls_files

    @contextlib.contextmanager
    def mock(self, chunks=50, interval_ms=20, certificate=None):
        port = free_port()
        tls = ['--tls', certificate.chain, certificate.key] if certificate else []
        process = self.programs.start(LOAD_CPU, self.build / 'bench_mock', '--listen', f'127.0.0.1:{port}',
                                      '--chunks', chunks, '--interval', interval_ms, *tls, ready=accepts(port))
        try:
            yield port
        finally:
            self.programs.stop(process)

    @contextlib.contextmanager
    def proxy(self, name, upstream, certificate=None):
        proxy = STARTERS[name](self.programs, self.folder, upstream, certificate)
        try:
            yield proxy
        finally:
            self.programs.stop(proxy.process)

    def load(self, proxy, *arguments):
        return self.programs.start(
            LOAD_CPU, self.build / 'bench_load', '--target', f'127.0.0.1:{proxy.port}',
            '--header', f'Authorization: Bearer {proxy.key}', '--model', 'bench', *arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def load_said(self, process, word):
        said = process.stdout.readline().decode().strip()
        if said != word:
            raise BenchError(f'the load said {said!r} instead of {word!r}:\n{process.log.read_text()[-2000:]}')

    # One proxy, one round.

    def sample(self, name, upstream, arguments, unit, certificate):
        with self.proxy(name, upstream, certificate) as proxy:
            load = self.load(proxy, *arguments, '--warmup', self.options.warmup, '--seconds', self.options.seconds)
            self.load_said(load, 'warm')
            time.sleep(SETTLE_SECONDS)
            before = Cpu(proxy.pid)
            load.stdin.write(b'go\n')
            load.stdin.flush()
            result = json.loads(load.stdout.readline() or '{"errors": "no result"}')
            time.sleep(SETTLE_SECONDS)
            after = Cpu(proxy.pid)
            if result['errors'] or not result[unit]:
                raise BenchError(f'{name}: {result}\n{load.log.read_text()[-2000:]}')
            self.programs.stop(load)
        return {'calls': after.since(before, proxy.call_threads) * 1e6 / result[unit],
                'process': after.since(before) * 1e6 / result[unit],
                'rate': result[unit] / result['seconds'], 'p50': result['p50_us'], 'p99': result['p99_us']}

    def compare(self, case, upstream, arguments, unit='requests', certificate=None):
        """The proxies in turns, beginning with another one each round; medians, also of the ratios."""
        names = self.options.proxies
        rounds = []
        for i in range(self.options.rounds):
            turn = names[i % len(names):] + names[:i % len(names)]
            rounds.append({name: self.sample(name, upstream, arguments, unit, certificate) for name in turn})
        for name in names:
            m = {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]}

            def ratio(key):
                if 'nginx' not in names:
                    return ''
                return f'{statistics.median(one[name][key] / one["nginx"]["process"] for one in rounds):.2f}'
            self.table.add(case, name, f'{m["calls"]:.2f}', f'{m["process"]:.2f}', ratio('calls'), ratio('process'),
                           f'{m["rate"]:.0f}', f'{m["p50"]:.0f}', f'{m["p99"]:.0f}')

    # The cases.

    def bodies(self):
        with self.mock() as upstream:
            for size, label in ((1536, '1.5 KB'), (16 << 10, '16 KB'), (256 << 10, '256 KB')):
                for connections in ([64] if self.options.quick else [16, 64, 256]):
                    self.compare(f'{label}, {connections} connections', upstream,
                                 ['--connections', connections, '--body-bytes', size])

    def streams(self):
        for streams, interval, chunks in STREAM_CASES[:1] if self.options.quick else STREAM_CASES:
            with self.mock(chunks, interval) as upstream:
                # The role, the text, the finish and [DONE]; the usage only if it was asked for.
                self.compare(f'{streams} streams, {interval} ms (per chunk)', upstream,
                             ['--connections', streams, '--stream', '--events-min', chunks + 3], 'chunks')

    def tls(self):
        certificate = self.certificate()
        with self.mock(certificate=certificate) as upstream:
            self.compare('1.5 KB, 64 connections, TLS provider', upstream,
                         ['--connections', 64, '--body-bytes', 1536], certificate=certificate)

    def rss(self):
        for name in self.options.proxies:
            self.rss_of_streams(name, RSS_STREAMS, None)
        for name in self.options.proxies:
            self.rss_of_streams(name, RSS_TLS_STREAMS, self.certificate())
        for name in self.options.proxies:
            self.rss_of_connections(name)

    def rss_of_streams(self, name, streams, certificate):
        """Streams with a piece of text a second, two seconds after the last has begun."""
        with self.mock(100000, 1000, certificate) as upstream, self.proxy(name, upstream, certificate) as proxy:
            time.sleep(1)
            idle = rss_kb(proxy.pid)
            if not certificate:
                self.table.add('RSS idle', name, f'{idle / 1024:.1f} MB')
            calls = self.calls_of(upstream, certificate)
            load = self.load(proxy, '--connections', streams, '--stream', '--once')
            self.programs.wait_for(load, lambda: calls() == streams)
            time.sleep(2)
            tls = ', TLS provider' if certificate else ''
            self.table.add(f'RSS per stream of {streams}{tls}', name,
                           f'{(rss_kb(proxy.pid) - idle) / streams:.1f} KB')
            self.programs.stop(load)

    def calls_of(self, port, certificate):
        context = ssl.create_default_context(cafile=certificate.authority) if certificate else None
        url = f'{"https://localhost" if certificate else "http://127.0.0.1"}:{port}/__stats'

        def calls():
            with urllib.request.urlopen(url, timeout=5, context=context) as response:
                return json.load(response)['calls']
        return calls

    def rss_of_connections(self, name):
        count = min(IDLE_CONNECTIONS, haproxy_connections() - 100 if name == 'haproxy' else descriptors() - 1000)
        with self.mock() as upstream, self.proxy(name, upstream) as proxy:
            load = self.load(proxy, '--connections', count, '--idle')
            self.load_said(load, 'holding')
            time.sleep(2)
            self.table.add(f'RSS, {count} idle connections', name, f'{rss_kb(proxy.pid) / 1024:.1f} MB')
            self.programs.stop(load)

    def run(self):
        cases = {'bodies': self.bodies, 'streams': self.streams, 'tls': self.tls, 'rss': self.rss}
        for name in self.options.only or (['bodies', 'streams'] if self.options.quick else cases):
            cases[name]()


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().split('\n')[0]


def save(bench, given):
    found = re.search(r'model name\s*: (.*)', pathlib.Path('/proc/cpuinfo').read_text())
    cpu = found.group(1) if found else platform.machine()
    slug = re.sub(r'[^a-z0-9]+', '-', cpu.lower()).strip('-')
    date = datetime.date.today().isoformat()
    commit = said('git', '-C', str(ROOT), 'rev-parse', '--short', 'HEAD')
    if said('git', '-C', str(ROOT), 'status', '--porcelain', '--untracked-files=no'):
        commit += ' with changes'
    file = ROOT / 'bench/results' / f'{date}-{slug}.md'
    file.write_text('\n'.join([
        f'# {date}, {cpu}', '',
        f'- {os.cpu_count()} processors, Linux {platform.release()}',
        f'- {said("nginx", "-v").removeprefix("nginx version: ")}; {said("haproxy", "-v").split(" - ")[0]}',
        f'- Weir at {commit}',
        f'- `script/bench {" ".join(given)}`: medians of {bench.options.rounds} rounds of '
        f'{bench.options.seconds:g} s', '',
        *bench.table.markdown(), '']))
    print(f'written to {file.relative_to(ROOT)}')


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help='64 connections and 500 streams only, no TLS, no RSS')
    parser.add_argument('--only', action='append', choices=['bodies', 'streams', 'tls', 'rss'], help='repeatable')
    parser.add_argument('--proxies', default='nginx,haproxy,weir', help='of nginx, haproxy and weir')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=3, help='of each measurement')
    parser.add_argument('--warmup', type=float, default=1, help='seconds before it')
    parser.add_argument('--build', type=pathlib.Path, default=Bench.build, help='folder of weir and the tools')
    parser.add_argument('--save', action='store_true', help='write the table to bench/results/')
    options = parser.parse_args()
    options.proxies = options.proxies.split(',')
    if unknown := set(options.proxies) - set(STARTERS):
        parser.error(f'no such proxy: {", ".join(unknown)}')
    for program in ['bench_mock', 'bench_load'] + ['weir'] * ('weir' in options.proxies):
        if not os.access(options.build / program, os.X_OK):
            hint = '; --proxies nginx,haproxy does without it' if program == 'weir' else ''
            parser.error(f'{options.build / program} is missing: script/bench builds it{hint}')
    if (os.cpu_count() or 1) < 2:
        parser.error('needs two processors: one for the proxy, one for the load')
    return options


def main():
    options = parse_options()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.getloadavg()[0] > 0.5:
        print(f'note: the machine is not quiet (load {os.getloadavg()[0]:.1f}); wall times say little then',
              file=sys.stderr)
    # An end by signal, too, goes through the finally below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    Bench.build = options.build.resolve()
    bench = Bench(options)
    try:
        bench.run()
        if options.save:
            save(bench, sys.argv[1:])
    except BenchError as error:
        sys.exit(f'bench: {error}')
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        bench.close()


if __name__ == '__main__':
    main()
