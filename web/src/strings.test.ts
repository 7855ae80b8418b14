import { describe, expect, it } from 'vitest';
import { strings, type Key, type Language } from './strings';

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const keys = Object.keys(strings.en) as Key[];

describe.each(Object.keys(strings) as Language[])('%s', (language) => {
  it('has every key and no other', () => {
    expect(Object.keys(strings[language])).toEqual(keys);
  });

  it('says something everywhere', () => {
    for (const key of keys) expect(strings[language][key].trim(), key).not.toBe('');
  });

  it('has the placeholders of the English text', () => {
    for (const key of keys) expect(placeholders(strings[language][key]), key).toEqual(placeholders(strings.en[key]));
  });
});

it('uses Chinese punctuation in Chinese', () => {
  for (const key of keys) expect(strings.zh[key], key).not.toMatch(/[,;:()!?]/);
});
