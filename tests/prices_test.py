#!/usr/bin/env python3
"""The tool of the catalog of prices: what it takes from which list, and what it refuses in the file."""
import datetime
import decimal
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = pathlib.Path(os.environ.get('WEIR_REFERENCE', ROOT / '../shared/reference')) / 'prices'
sys.dont_write_bytecode = True

loader = importlib.machinery.SourceFileLoader('prices', str(ROOT / 'script/prices'))
prices = importlib.util.module_from_spec(importlib.util.spec_from_loader('prices', loader))
loader.exec_module(prices)
D = decimal.Decimal


class Lists(unittest.TestCase):
    """Two small price lists of one model, 'm' of openai."""

    def refreshed(self, genai, litellm, entry=None):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (
                    ('genai-prices/data.json', [
                        {'id': 'openai', 'models': [{'id': 'm', 'match': {'equals': 'm'}, 'prices': genai}]}]),
                    ('litellm/model_prices_and_context_window.json', {
                        'm': {'litellm_provider': 'openai', 'mode': 'chat', **litellm}})):
                path = pathlib.Path(folder, name)
                path.parent.mkdir()
                path.write_text(json.dumps(content))
            lists = [prices.Genai(pathlib.Path(folder), datetime.date(2026, 8, 21)),
                     prices.Litellm(pathlib.Path(folder), datetime.date(2026, 8, 1))]
            return prices.refreshed('openai', 'm', entry or {}, lists)

    def test_figures_are_exact_and_for_a_million_tokens(self):
        got = self.refreshed({'input_mtok': 0.15}, {'input_cost_per_token': 1.5e-7, 'output_cost_per_token': 6e-7},
                             {'source': 'litellm'})
        self.assertEqual(got['rates'], {'input': D('0.15'), 'output': D('0.6')})
        self.assertEqual(got['date'], datetime.date(2026, 8, 1))

    def test_the_second_list_adds_what_is_dearer_where_they_agree_on_the_price(self):
        litellm = {'input_cost_per_token': 1e-6, 'output_cost_per_token': 2e-6, 'input_cost_per_audio_token': 9e-6,
                   'cache_read_input_token_cost': 1e-7, 'output_cost_per_token_above_200k_tokens': 3e-6,
                   'input_cost_per_token_above_200k_tokens': 2e-6, 'cache_read_input_token_cost_above_200k_tokens': 1e-7,
                   'max_input_tokens': 9000, 'max_output_tokens': 1000}
        got = self.refreshed({'input_mtok': 1, 'output_mtok': 2}, litellm)
        # The discount for the cache is the second list's word alone.
        self.assertEqual(got['rates'], {'input': 1, 'output': 2, 'input_audio': 9})
        self.assertEqual(got['long_context'], [{'above': 200000, 'input': 2, 'output': 3}])
        self.assertEqual(got['max_output_tokens'], 1000)
        self.assertEqual(got['also'], 'litellm 2026-08-01: input_audio long_context max_output_tokens')
        other = self.refreshed({'input_mtok': 1, 'output_mtok': 3}, litellm)
        self.assertEqual(other['rates'], {'input': 1, 'output': 3})
        self.assertNotIn('long_context', other)

    def test_a_tier_is_a_share_only_where_every_rate_is(self):
        base = {'input_cost_per_token': 1e-6, 'output_cost_per_token': 4e-6, 'cache_read_input_token_cost': 2.5e-7}
        for added, want in (
                ({'input': 5e-7, 'output': 2e-6, 'cache': 1.25e-7}, '50%'),
                ({'input': 5e-7, 'output': 2e-6, 'cache': 1.3e-7}, '50%'),  # rounded to cents
                ({'input': 5e-7, 'output': 2e-6}, {'input': D('0.5'), 'output': 2}),
                ({'input': 1 / 3e6, 'output': 1e-6}, {'input': D('0.333333333'), 'output': 1}),
                ({'input': 1e-6, 'output': 4e-6}, None)):
            names = {'input': 'input_cost_per_token', 'output': 'output_cost_per_token',
                     'cache': 'cache_read_input_token_cost'}
            flex = {f'{names[part]}_flex': amount for part, amount in added.items()}
            got = self.refreshed({}, {**base, **flex}, {'source': 'litellm'})
            self.assertEqual(got.get('flex'), want, added)

    def test_a_price_announced_for_later_is_not_believed(self):
        rises = [{'prices': {'input_mtok': 2, 'output_mtok': 10}},
                 {'constraint': {'start_date': '2026-09-01'}, 'prices': {'input_mtok': 3, 'output_mtok': 15}}]
        self.assertEqual(self.refreshed(rises, {})['rates'], {'input': 2, 'output': 10})

    def test_what_was_typed_from_a_page_stays(self):
        typed = {'rates': {'input': 7, 'output': 7}, 'source': 'https://example.com/prices',
                 'date': datetime.date(2026, 1, 1)}
        self.assertEqual(self.refreshed({'input_mtok': 1, 'output_mtok': 2}, {}, typed), typed)


class Faults(unittest.TestCase):
    def faults(self, **entry):
        sound = {'rates': {'input': D(1), 'output': D(2)}, 'source': 'list', 'date': datetime.date(2026, 1, 1)}
        return list(prices.book.faults_of({'sources': {'list': {}}, 'openai': {'m': {**sound, **entry}}}))

    def test_each_rule_of_the_file(self):
        self.assertEqual(self.faults(), [])
        for entry, fault in (
                ({'rates': {'input': D(1)}}, 'output is missing'),
                ({'rates': {'input': D(2000), 'output': D(1)}}, 'no price of a million tokens'),
                ({'rates': {'input': D('1e-10'), 'output': D(1)}}, 'more than nine decimals'),
                ({'rates': {'input': D(1), 'output': D(1), 'cache_read': D(2)}}, 'cache_read is dearer'),
                ({'rates': {'input': D(1), 'output': D(1), 'cache': D(1)}}, 'cache is no rate'),
                ({'long_context': [{'above': 2, 'input': D(1), 'output': D(1)},
                                   {'above': 2, 'input': D(1), 'output': D(1)}]}, 'must rise'),
                ({'batch': 'half'}, 'neither a share'),
                ({'batch': '150%'}, 'dearer than standard'),
                ({'priority': {'input': D(1), 'output': D(1)}}, 'cheaper than standard'),
                ({'per': {'pixel': D(1)}}, 'pixel'),
                ({'date': '2026-01-01'}, 'date is missing'),
                ({'source': 'somebody'}, 'source must be'),
                ({'colour': 'red'}, 'unknown key colour'),
                ({'names': ['m']}, 'm is a name of m and of m')):
            got = self.faults(**entry)
            self.assertEqual(len(got), 1, (entry, got))
            self.assertIn(fault, got[0])


class CheckedIn(unittest.TestCase):
    @unittest.skipUnless(REFERENCE.is_dir(), 'the price lists are not here')
    def test_the_catalog_is_what_its_sources_say(self):
        subprocess.run([sys.executable, ROOT / 'script/prices', 'verify', REFERENCE], check=True)


if __name__ == '__main__':
    unittest.main()
