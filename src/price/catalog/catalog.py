#!/usr/bin/env python3
"""The catalog of prices as data: reads prices.toml, checks it, writes it, and turns it into a C++ table.

    src/price/catalog/catalog.py check prices.toml         every fault; none: exit 0
    src/price/catalog/catalog.py cpp prices.toml out.cpp   the table that the build compiles, of a sound file

Standard library only. script/prices fills the file from price lists.
"""
import datetime
import decimal
import os
import re
import sys
import tomllib

KINDS = ('openai', 'azure', 'anthropic', 'gemini', 'bedrock', 'xai', 'groq', 'mistral', 'deepseek', 'together',
         'openrouter')
# The members of price::TokenRates, in their order.
TOKENS = ('input', 'output', 'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'output_audio',
          'output_image', 'reasoning')
UNITS = ('image', 'audio_minute', 'search', 'request')
TIERS = ('batch', 'flex', 'priority')
# In this order in the file.
KEYS = ('names', 'rates', 'long_context', *TIERS, 'per', 'max_output_tokens', 'source', 'date', 'also', 'note')

NANO = decimal.Decimal(10) ** 9
# No model costs that much for a million tokens: a figure above it is in the wrong unit.
RATE_MAX = 1000
BYTES_MAX = 200_000


def nano(amount):
    """Dollars as nano-dollars; the checks refuse what has more than nine decimals."""
    return int((amount * NANO).to_integral_value(decimal.ROUND_HALF_UP))


def read(path):
    """The parsed file: {'sources': {...}, kind: {model: entry}}. Figures are exact decimals."""
    with open(path, 'rb') as file:
        return tomllib.load(file, parse_float=decimal.Decimal)


def entries_of(catalog):
    for kind in KINDS:
        for model, entry in catalog.get(kind, {}).items():
            yield kind, model, entry


def share_of(tier):
    """'50%' as a decimal of 1; None for a tier with rates of its own."""
    return decimal.Decimal(tier[:-1]) / 100 if isinstance(tier, str) else None


def scaled(rates, share):
    return {part: amount * share for part, amount in rates.items()}


def variants_of(entry):
    """[(tier, above, rates)]: what price::Rates::variants holds."""
    longer = [(step['above'], {k: v for k, v in step.items() if k != 'above'})
              for step in entry.get('long_context', [])]
    variants = [('standard', above, rates) for above, rates in longer]
    for tier in TIERS:
        if tier not in entry:
            continue
        share = share_of(entry[tier])
        if share is None:
            variants.append((tier, 0, entry[tier]))
        else:
            variants += [(tier, above, scaled(rates, share)) for above, rates in [(0, entry['rates']), *longer]]
    return variants


def faults_of_rates(where, rates):
    for part, amount in rates.items():
        if part not in TOKENS:
            yield f'{where}: {part} is no rate; known: {" ".join(TOKENS)}'
        elif amount < 0 or amount > RATE_MAX:
            yield f'{where}: {part} = {amount} is no price of a million tokens'
        elif amount * NANO % 1:
            yield f'{where}: {part} = {amount} has more than nine decimals'
    for part in ('input', 'output'):
        if part not in rates:
            yield f'{where}: {part} is missing'
    if rates.get('cache_read', 0) > rates.get('input', 0):
        yield f'{where}: cache_read is dearer than input'
    if 'cache_write_1h' in rates and rates['cache_write_1h'] < rates.get('cache_write', rates.get('input', 0)):
        yield f'{where}: cache_write_1h is cheaper than cache_write'


def faults_of_tier(where, entry, tier):
    own = entry[tier]
    if isinstance(own, str):
        if not re.fullmatch(r'[1-9][0-9]{0,3}%', own):
            yield f'{where}: {tier} = {own!r} is neither a share such as 50% nor rates'
            return
        own = scaled(entry['rates'], share_of(own))
    else:
        yield from faults_of_rates(f'{where}: {tier}', own)
    low, high = (own, entry['rates']) if tier != 'priority' else (entry['rates'], own)
    if any(low.get(part, 0) > high.get(part, 0) for part in ('input', 'output')):
        yield f'{where}: {tier} is {"cheaper" if tier == "priority" else "dearer"} than standard'


def faults_of_entry(where, entry, sources):
    for key in entry:
        if key not in KEYS:
            yield f'{where}: unknown key {key}'
    if 'rates' not in entry:
        yield f'{where}: rates are missing (run script/prices import)'
        return
    yield from faults_of_rates(where, entry['rates'])
    before = 0
    for step in entry.get('long_context', []):
        if step.get('above', 0) <= before:
            yield f'{where}: long_context must rise'
        before = step.get('above', 0)
        yield from faults_of_rates(f'{where}: above {before}', {k: v for k, v in step.items() if k != 'above'})
    for tier in TIERS:
        if tier in entry:
            yield from faults_of_tier(where, entry, tier)
    for unit, amount in entry.get('per', {}).items():
        if unit not in UNITS or amount < 0 or amount > RATE_MAX or amount * NANO % 1:
            yield f'{where}: per {unit} = {amount} is no price'
    if not isinstance(entry.get('date'), datetime.date):
        yield f'{where}: date is missing'
    if entry.get('source') not in sources and not str(entry.get('source')).startswith('https://'):
        yield f'{where}: source must be one of [sources] or the address of the page that was read'
    if entry.get('max_output_tokens', 1) < 1:
        yield f'{where}: max_output_tokens must be at least 1'


def faults_of(catalog):
    unknown = set(catalog) - set(KINDS) - {'sources'}
    if unknown:
        yield f'unknown kinds: {" ".join(sorted(unknown))}'
    for kind in KINDS:
        models = list(catalog.get(kind, {}))
        if models != sorted(models):
            yield f'{kind}: models are not sorted'
        owner = {}
        for model in models:
            for name in (model, *catalog[kind][model].get('names', [])):
                if name in owner:
                    yield f'{kind}: {name} is a name of {owner[name]} and of {model}'
                owner[name] = model
    for kind, model, entry in entries_of(catalog):
        yield from faults_of_entry(f'{kind} {model}', entry, catalog.get('sources', {}))


def toml_of(value):
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, decimal.Decimal):
        return f'{value.normalize():f}'
    if isinstance(value, int | datetime.date):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'
    if isinstance(value, list):
        return '[' + ', '.join(toml_of(one) for one in value) + ']'
    return '{' + ', '.join(f'{key} = {toml_of(one)}' for key, one in value.items()) + '}'


def write(path, header, catalog):
    """`header` is the comment and the [sources] as they stand; the entries are written anew."""
    lines = [header.rstrip()]
    for kind in KINDS:
        for model, entry in sorted(catalog.get(kind, {}).items()):
            lines.append(f'\n[{kind}.{toml_of(model)}]')
            lines += [f'{key} = {toml_of(entry[key])}' for key in KEYS if key in entry]
    with open(path, 'w') as file:
        file.write('\n'.join(lines) + '\n')


def cpp_text(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def cpp_tokens(rates):
    amounts = [f'usd({nano(rates[part])})' if part in rates else '{}' for part in TOKENS]
    while amounts[-1] == '{}':
        amounts.pop()
    return '{' + ', '.join(amounts) + '}'


CPP_HEAD = """// Written by src/price/catalog/catalog.py from prices.toml.
#include "price/catalog_table.h"

#include <algorithm>

namespace weir::price::table {
namespace {

constexpr Money usd(std::int64_t nano) { return Money::from_nano_usd(nano); }
"""
CPP_TAIL = """
static_assert(std::is_sorted(std::begin(kNameTable), std::end(kNameTable), comes_before));

}  // namespace

constinit const std::span<const Variant> kVariants = kVariantTable;
constinit const std::span<const Row> kRows = kRowTable;
constinit const std::span<const Name> kNames = kNameTable;

}  // namespace weir::price::table
"""


def cpp_of(catalog):
    variants, rows, names = [], [], []
    for kind, model, entry in entries_of(catalog):
        own = variants_of(entry)
        per = entry.get('per', {})
        units = ', '.join(f'usd({nano(per[unit])})' if unit in per else '{}' for unit in UNITS)
        rows.append(f'    {{{cpp_text(kind)}, {cpp_text(model)}, {cpp_tokens(entry["rates"])}, {units}, '
                    f'{len(variants)}, {len(own)}, {entry.get("max_output_tokens", 0)}, '
                    f'"{entry["date"]}", {cpp_text(entry["source"])}}},')
        variants += [f'    {{ServiceTier::{tier}, {above}, {cpp_tokens(rates)}}},' for tier, above, rates in own]
        names += [(kind, name, len(rows) - 1) for name in (model, *entry.get('names', []))]
    # As C++ compares them: bytes.
    names.sort(key=lambda row: (row[0].encode(), row[1].encode()))
    names = [f'    {{"{kind}", {cpp_text(name)}, {row}}},' for kind, name, row in names]
    return '\n'.join([CPP_HEAD,
                      'constexpr Variant kVariantTable[] = {', *variants, '};',
                      'constexpr Row kRowTable[] = {', *rows, '};',
                      'constexpr Name kNameTable[] = {', *names, '};', CPP_TAIL])


def main():
    command, paths = (sys.argv + [''])[1], sys.argv[2:]
    if (command, len(paths)) not in (('check', 1), ('cpp', 2)):
        sys.exit(__doc__)
    catalog = read(paths[0])
    faults = list(faults_of(catalog))
    if os.path.getsize(paths[0]) > BYTES_MAX:
        faults.append(f'larger than {BYTES_MAX} bytes: nobody would review it')
    if faults:
        sys.exit('\n'.join(f'{paths[0]}: {fault}' for fault in faults))
    if command == 'cpp':
        with open(paths[1], 'w') as file:
            file.write(cpp_of(catalog))
    else:
        print(f'{sum(1 for _ in entries_of(catalog))} prices, all sound')


if __name__ == '__main__':
    main()
