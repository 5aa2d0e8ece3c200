"""Runs the SDK tests against the real binary with the simulator behind it."""
import pathlib
import subprocess
import os
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'integration'))
from harness import ADMIN_KEY, API_KEY, Gateway, config, provider, simulator  # noqa: E402

here = pathlib.Path(__file__).parent
if not (here / 'node_modules').is_dir():
    print('the SDK is not installed: script/test does that')
    sys.exit(77)
with simulator() as fast, simulator('--tps', '20') as slow:
    models = [{'name': name, 'targets': [{'provider': 'sim', 'model': name}]}
              for name in ('sim-small', 'sim-large', 'sim-embed')]
    models.append({'name': 'sim-slow', 'targets': [{'provider': 'slow', 'model': 'sim-slow'}]})
    with Gateway(config([provider(fast.port), provider(slow.port, 'slow')], models=models)) as gateway:
        gateway.wait_ready()
        tests = sorted(str(path) for path in here.glob('*.test.mjs'))
        ended = subprocess.run(['node', '--test', *tests], cwd=here, env={
            **os.environ, 'WEIR_URL': f'http://{gateway.host}:{gateway.port}', 'WEIR_KEY': API_KEY,
            'WEIR_ADMIN_KEY': ADMIN_KEY})
sys.exit(ended.returncode)
