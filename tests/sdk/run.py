"""Runs the SDK tests against the real binary with the simulator behind it. Arguments go to node:

    WEIR_BINARY=build/dev/weir tests/sdk/run.py --test-name-pattern='messages on gemini'
"""
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
FAMILIES = {'chat': ('openai_compatible', '/v1'), 'responses': ('openai_responses', '/v1'),
            'anthropic': ('anthropic', '/v1'), 'gemini': ('gemini', '')}
with simulator() as fast, simulator('--tps', '20') as slow:
    providers = [provider(fast.port), provider(slow.port, 'slow')]
    models = [{'name': name, 'targets': [{'provider': 'sim', 'model': name}]}
              for name in ('sim-small', 'sim-large', 'sim-embed', 'gpt-image-1')]
    models.append({'name': 'sim-slow', 'targets': [{'provider': 'slow', 'model': 'sim-slow'}]})
    # One model of each family of providers, served by the same simulator in that family's dialect.
    for family, (kind, path) in FAMILIES.items():
        for name, simulated in (('on', fast), ('slow-on', slow)):
            providers.append(provider(simulated.port, f'{name}-{family}', kind=kind, api_key='sim',
                                      base_url=f'http://127.0.0.1:{simulated.port}{path}'))
            # Names that each dialect takes for a model that thinks and knows schemas.
            models.append({'name': f'{name}-{family}', 'targets': [{
                'provider': f'{name}-{family}',
                'model': {'anthropic': 'claude-sonnet-4-5', 'gemini': 'gemini-2.5-flash'}.get(family, 'gpt-5-mini')}]})
    # One that knows no schema for its answer.
    models.append({'name': 'old-claude', 'targets': [{'provider': 'on-anthropic', 'model': 'claude-sonnet-4-20250514'}]})
    with Gateway(config(providers, models=models)) as gateway:
        gateway.wait_ready()
        tests = sorted(str(path) for path in here.glob('*.test.mjs'))
        ended = subprocess.run(['node', '--test', *sys.argv[1:], *tests], cwd=here, env={
            **os.environ, 'WEIR_URL': f'http://{gateway.host}:{gateway.port}', 'WEIR_KEY': API_KEY,
            'WEIR_ADMIN_KEY': ADMIN_KEY})
sys.exit(ended.returncode)
