#!/usr/bin/env python3
"""Measures what a call costs in CPU time, as a ratio to nginx in the same run. `script/bench` calls it.

Each proxy has processor 0 to itself; load and provider share processor 1. CPU is the scheduler's own run time of
all threads of the proxy (/proc/PID/task/*/schedstat), which is stable where wall times are not.
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
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build/release'
ADMIN_KEY = 'admin-key-of-the-bench-0000000000001'
API_KEY = 'sk-weir-' + 'BenchKeyBenchKeyBenchKeyBench001'
PROXY_CPU, LOAD_CPU = '0', '1'
# Two descriptors a call, under the hard limit.
CONNECTIONS_MAX = min(60000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        return taken.getsockname()[1]


def pinned(cpu, *command):
    return ['taskset', '-c', cpu, *map(str, command)]


def tree(pid):
    """A process and its children."""
    pids = [pid]
    for child in subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True).stdout.split():
        pids += tree(int(child))
    return pids


def cpu_ns(pid):
    """Run time of every thread that lives now, by (thread id, name)."""
    times = {}
    for process in tree(pid):
        for task in pathlib.Path(f'/proc/{process}/task').iterdir():
            with contextlib.suppress(OSError):
                name = (task / 'comm').read_text().strip()
                times[task.name, name] = int((task / 'schedstat').read_text().split()[0])
    return times


def spent(before, after, prefix=''):
    return sum(ns - before.get(thread, 0) for thread, ns in after.items() if thread[1].startswith(prefix))


def rss_kb(pid):
    total = 0
    for process in tree(pid):
        status = pathlib.Path(f'/proc/{process}/status').read_text()
        total += int(re.search(r'VmRSS:\s+(\d+)', status).group(1))
    return total


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weir-bench-'))
        self.processes = []
        self.logs = []
        self.rows = []

    def start(self, cpu, *command, environment=None):
        name = pathlib.Path(str(command[0])).name
        log = open(self.folder / f'{name}-{len(self.processes)}.log', 'w')
        process = subprocess.Popen(pinned(cpu, *command), stdout=log, stderr=log, env={**os.environ, **(environment or {})})
        self.processes.append(process)
        self.logs.append(log.name)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_port(self, port):
        while True:
            if self.processes[-1].poll() is not None:
                raise SystemExit(f'{self.processes[-1].args}: {pathlib.Path(self.logs[-1]).read_text()}')
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port)):
                return
            time.sleep(0.02)

    def mock(self, chunks=50, interval_ms=20):
        port = free_port()
        process = self.start(LOAD_CPU, BUILD / 'bench_mock', port, chunks, interval_ms)
        self.wait_port(port)
        return process, port

    def tls_front(self, mock_port):
        """nginx on the load's processor turns the mock into a TLS provider."""
        key, certificate = self.folder / 'tls.key', self.folder / 'tls.crt'
        if not key.exists():
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                            '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost',
                            '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], check=True, capture_output=True)
        port = free_port()
        process = self.nginx_with(LOAD_CPU, f'''
            upstream provider {{ server 127.0.0.1:{mock_port}; keepalive 1024; keepalive_requests 1000000; }}
            server {{
                listen 127.0.0.1:{port} ssl backlog=4096; keepalive_requests 1000000;
                ssl_certificate {certificate}; ssl_certificate_key {key};
                {PROXY.format(to='http://provider')}
            }}''')
        self.wait_port(port)
        return process, port, certificate

    def nginx_with(self, cpu, servers):
        file = self.folder / f'nginx-{len(self.processes)}.conf'
        file.write_text(f'''
            worker_processes 1; daemon off; pid {self.folder}/nginx-{len(self.processes)}.pid; 
            error_log {self.folder}/nginx.err;
            events {{ worker_connections {CONNECTIONS_MAX}; }}
            http {{ access_log off; client_body_temp_path {self.folder}; proxy_temp_path {self.folder};
                    fastcgi_temp_path {self.folder}; uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
                    {servers} }}''')
        return self.start(cpu, 'nginx', '-c', file, '-p', self.folder, '-e', self.folder / 'nginx.err')

    # The proxies: each returns (process, port).

    def nginx(self, upstream, certificate=None):
        port = free_port()
        tls = (f'proxy_ssl_trusted_certificate {certificate}; proxy_ssl_verify on; proxy_ssl_name localhost; '
               'proxy_ssl_server_name on; proxy_ssl_session_reuse on;') if certificate else ''
        process = self.nginx_with(PROXY_CPU, f'''
            upstream provider {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 1000000; }}
            server {{
                listen 127.0.0.1:{port} backlog=16384; keepalive_requests 1000000; keepalive_timeout 300s; {tls}
                {PROXY.format(to=('https' if certificate else 'http') + '://provider')}
            }}''')
        self.wait_port(port)
        return process, port

    def haproxy(self, upstream, certificate=None):
        port = free_port()
        tls = f' ssl verify required ca-file {certificate} sni str(localhost)' if certificate else ''
        file = self.folder / f'haproxy-{len(self.processes)}.cfg'
        file.write_text(f'''
global
    nbthread 1
    maxconn {CONNECTIONS_MAX}
defaults
    mode http
    timeout client 300s
    timeout server 300s
    timeout connect 5s
    http-reuse always
frontend in
    bind 127.0.0.1:{port} backlog 16384
    default_backend out
backend out
    server provider 127.0.0.1:{upstream} maxconn {CONNECTIONS_MAX}{tls}
''')
        process = self.start(PROXY_CPU, 'haproxy', '-f', file)
        self.wait_port(port)
        return process, port

    def weir(self, upstream, certificate=None):
        port, operations = free_port(), free_port()
        data = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        words = [f'forbidden{i}' for i in range(90)] + [f'the wrong phrase {i}' for i in range(10)]
        provider = {'name': 'mock', 'kind': 'openai_compatible', 'api_key': 'sk-mock', 'connections_max': 20000,
                    'base_url': f'{"https://localhost" if certificate else "http://127.0.0.1"}:{upstream}/v1'}
        if certificate:
            provider['ca_file'] = str(certificate)
        file = data / 'weir.yaml'
        file.write_text(json.dumps({
            'server': {'listen': f'127.0.0.1:{port}', 'operations': f'127.0.0.1:{operations}', 'threads': 1},
            'providers': [provider],
            'models': [{'name': 'bench', 'targets': [{'provider': 'mock', 'model': 'bench-upstream'}],
                        'price': {'input': '1 USD', 'output': '2 USD'}}],
            'limits': {'per_ip': {'requests': '900000000/min', 'concurrency': 100000}, 'max_tokens_in_flight': 10 ** 11},
            'guardrails': {'output': {'max_length': 1000000, 'banned_words': words}},
            'log': {'access': str(data / 'access.log')}}))
        process = self.start(PROXY_CPU, BUILD / 'weir', 'serve', '--config', file, '--data', data / 'data', environment={
            'WEIR_BOOTSTRAP_ADMIN_KEY': ADMIN_KEY, 'WEIR_BOOTSTRAP_API_KEY': API_KEY})
        self.wait_port(operations)
        # The key of the calls has limits, so that they are counted.
        request = urllib.request.Request(
            f'http://127.0.0.1:{port}/api/v1/keys', method='POST', headers={'Authorization': f'Bearer {ADMIN_KEY}'},
            data=json.dumps({'requests_per_minute': 900000000, 'concurrency_max': 100000}).encode())
        self.key = json.load(urllib.request.urlopen(request))['key']
        return process, port

    def load(self, port, *arguments):
        key = getattr(self, 'key', API_KEY)
        command = pinned(LOAD_CPU, BUILD / 'bench_load', port, '--header', f'authorization: Bearer {key}', *arguments)
        done = subprocess.run(command, capture_output=True, text=True)
        if not done.stdout.strip():
            raise SystemExit(f'load failed: {done.stderr}')
        result = json.loads(done.stdout)
        if result['errors']:
            print(f'  {result["errors"]} errors: {done.stderr[:300]}')
        return result

    # The measurements.

    def compare(self, case, proxies, upstream, arguments, per, certificate=None, seconds=None):
        """Runs the proxies in turns; the median of the rounds, per request or per chunk."""
        samples = {name: [] for name in proxies}
        for _ in range(self.options.rounds):
            for name in proxies:
                process, port = getattr(self, name)(upstream, certificate)
                self.load(port, *arguments, '--seconds', min(1, self.options.seconds))
                before = cpu_ns(process.pid)
                result = self.load(port, *arguments, '--seconds', seconds or self.options.seconds)
                # The drain and the log are a moment behind; their work belongs to these calls.
                time.sleep(0.5)
                after = cpu_ns(process.pid)
                work = result[per] or 1
                samples[name].append({
                    'all': spent(before, after) / 1000 / work,
                    'calls': spent(before, after, 'weir-call' if name == 'weir' else '') / 1000 / work,
                    'rate': result[per] / result['seconds'], 'p50': result['p50_us'], 'p99': result['p99_us']})
                self.stop(process)
        medians = {name: {key: statistics.median(s[key] for s in runs) for key in runs[0]} for name, runs in samples.items()}
        for name, m in medians.items():
            nginx = medians.get('nginx')
            self.row(case, name, m['calls'], m['all'], m['calls'] / nginx['all'] if nginx else 0,
                     m['all'] / nginx['all'] if nginx else 0, m['rate'], m['p50'], m['p99'])

    def row(self, case, name, calls, every, ratio_calls, ratio_all, rate, p50, p99):
        self.rows.append((case, name, f'{calls:.2f}', f'{every:.2f}', f'{ratio_calls:.2f}', f'{ratio_all:.2f}',
                          f'{rate:.0f}', f'{p50:.0f}', f'{p99:.0f}'))
        print(f'{case:34} {name:8} {calls:8.2f} {every:8.2f} {ratio_calls:6.2f} {ratio_all:6.2f} {rate:9.0f} {p50:8.0f} {p99:9.0f}', flush=True)

    def bodies(self, proxies):
        mock, port = self.mock()
        sizes = [1500] if self.options.quick else [1500, 16 << 10, 256 << 10]
        for size in sizes:
            for connections in ([64] if self.options.quick else [16, 64, 256]):
                self.compare(f'{size / 1024:.3g} KB, {connections} connections', proxies, port,
                             ['--connections', connections, '--body-bytes', size], 'requests')
        self.stop(mock)

    def streams(self, proxies):
        for count, interval in ([(500, 20)] if self.options.quick else [(500, 20), (2000, 20), (5000, 250)]):
            mock, port = self.mock(50, interval)
            self.compare(f'{count} streams, {interval} ms', proxies, port,
                         ['--connections', count, '--stream'], 'chunks', seconds=max(self.options.seconds, 5))
            self.stop(mock)

    def tls(self, proxies):
        mock, port = self.mock()
        front, tls_port, certificate = self.tls_front(port)
        self.compare('TLS provider, 1.5 KB, 64 conn.', proxies, tls_port, ['--connections', 64, '--body-bytes', 1500],
                     'requests', certificate)
        self.stop(front)
        self.stop(mock)

    def memory(self, proxies):
        for name in proxies:
            mock, upstream = self.mock(100000, 1000)
            process, port = getattr(self, name)(upstream, None)
            time.sleep(1)
            idle = rss_kb(process.pid)
            self.memory_row('idle', name, idle / 1024, 'MB')
            streams = 2000
            key = getattr(self, 'key', API_KEY)
            holder = subprocess.Popen(pinned(LOAD_CPU, BUILD / 'bench_load', port, '--header', f'authorization: Bearer {key}',
                                             '--connections', streams, '--stream', '--seconds', 8), stdout=subprocess.DEVNULL)
            time.sleep(6)
            self.memory_row(f'per stream of {streams}', name, (rss_kb(process.pid) - idle) / streams, 'KB')
            holder.wait()
            self.stop(process)
            self.stop(mock)

            mock, upstream = self.mock()
            process, port = getattr(self, name)(upstream, None)
            key = getattr(self, 'key', API_KEY)
            holder = subprocess.Popen(pinned(LOAD_CPU, BUILD / 'bench_load', port, '--header', f'authorization: Bearer {key}',
                                             '--connections', 10000, '--idle', '--body-bytes', 300),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            holder.stdout.readline()
            time.sleep(1)
            self.memory_row('10,000 idle connections', name, rss_kb(process.pid) / 1024, 'MB')
            holder.stdin.close()
            holder.wait()
            self.stop(process)
            self.stop(mock)

    def tls_memory(self, proxies):
        for name in proxies:
            mock, port = self.mock(100000, 1000)
            front, tls_port, certificate = self.tls_front(port)
            process, listen = getattr(self, name)(tls_port, certificate)
            time.sleep(1)
            idle = rss_kb(process.pid)
            streams = 500
            key = getattr(self, 'key', API_KEY)
            holder = subprocess.Popen(pinned(LOAD_CPU, BUILD / 'bench_load', listen, '--header', f'authorization: Bearer {key}',
                                             '--connections', streams, '--stream', '--seconds', 8), stdout=subprocess.DEVNULL)
            time.sleep(6)
            self.memory_row(f'per stream of {streams}, TLS provider', name, (rss_kb(process.pid) - idle) / streams, 'KB')
            holder.wait()
            for one in (process, front, mock):
                self.stop(one)

    def memory_row(self, case, name, value, unit):
        self.rows.append((f'RSS {case}', name, f'{value:.1f} {unit}', '', '', '', '', '', ''))
        print(f'RSS {case:30} {name:8} {value:8.1f} {unit}', flush=True)

    def save(self):
        cpu = re.search(r'model name\s*: (.*)', pathlib.Path('/proc/cpuinfo').read_text())
        cpu = cpu.group(1) if cpu else platform.machine()
        slug = re.sub(r'[^a-z0-9]+', '-', cpu.lower()).strip('-')
        date = datetime.date.today().isoformat()

        def first_line(*command):
            done = subprocess.run(command, capture_output=True, text=True)
            return (done.stdout or done.stderr).splitlines()[0]
        lines = [
            f'# {date}, {cpu}', '',
            f'{os.cpu_count()} processors, Linux {platform.release()}; {first_line("nginx", "-v")}; {first_line("haproxy", "-v")}; '
            f'Weir at {first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")}. '
            f'`script/bench {" ".join(self.options.given)}`: {self.options.rounds} rounds of {self.options.seconds} s, medians.', '',
            'CPU in us per request (per chunk for streams): of the threads that carry calls, and of the whole process; '
            'both as a ratio to nginx in the same run. Latencies are of a shared machine and only say that nothing waits.', '',
            '| case | proxy | calls | process | calls / nginx | process / nginx | per second | p50 us | p99 us |',
            '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
            *('| ' + ' | '.join(row) + ' |' for row in self.rows), '']
        file = ROOT / 'bench/results' / f'{date}-{slug}.md'
        file.write_text('\n'.join(lines))
        print(f'written to {file.relative_to(ROOT)}')


# Plain keep-alive, nothing buffered: what nginx costs to pass the same bytes.
PROXY = '''client_max_body_size 64m; client_body_buffer_size 512k;
                location / {{
                    proxy_pass {to}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
                    proxy_read_timeout 300s;
                }}'''


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='64 connections of 1.5 KB and 500 streams only')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=3)
    parser.add_argument('--proxies', default='nginx,haproxy,weir')
    parser.add_argument('--only', choices=['bodies', 'streams', 'tls', 'memory'])
    parser.add_argument('--save', action='store_true', help='write the table to bench/results/')
    options = parser.parse_args()
    import sys
    options.given = sys.argv[1:]
    proxies = options.proxies.split(',')
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    bench = Bench(options)
    try:
        print(f'{"case":34} {"proxy":8} {"calls":>8} {"process":>8} {"/nginx":>6} {"/nginx":>6} {"per s":>9} {"p50 us":>8} {"p99 us":>9}')
        if options.only in (None, 'bodies'):
            bench.bodies(proxies)
        if options.only in (None, 'streams'):
            bench.streams(proxies)
        if options.only in (None, 'tls'):
            bench.tls(proxies)
        if options.only == 'memory' or (options.only is None and not options.quick):
            bench.memory(proxies)
            bench.tls_memory([name for name in proxies if name != 'haproxy'])
        if options.save:
            bench.save()
    finally:
        bench.close()


if __name__ == '__main__':
    main()
