// The language of the page: the user's choice, else what the browser asks for. Words come from strings.ts.
import { strings, type Key, type Language } from './strings';

const kStored = 'wirebird.language';

const isLanguage = (value: string | null | undefined): value is Language => !!value && value in strings;

function preferred(): Language {
  const stored = readStored();
  if (isLanguage(stored)) return stored;
  return navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}

// Storage may be forbidden, which costs only the memory of the choice.
function readStored(): string | null {
  try {
    return localStorage.getItem(kStored);
  } catch {
    return null;
  }
}

let current = $state<Language>(preferred());

export const language = {
  get current(): Language {
    return current;
  },
  set current(chosen: Language) {
    current = chosen;
    try {
      localStorage.setItem(kStored, chosen);
    } catch {
      // Not remembered, then.
    }
  },
  /** For the `lang` attribute. */
  get tag(): string {
    return current === 'zh' ? 'zh-CN' : 'en';
  },
};

/** The words for `key`, with `{name}` replaced. Numbers are written the way the language does. */
export function t(key: Key, values: { [name: string]: string | number } = {}): string {
  return strings[current][key].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? formatNumber(value) : value;
  });
}

export function formatNumber(n: number, digits = 0): string {
  return n.toLocaleString(language.tag, { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function formatMessages(n: number): string {
  const plural = new Intl.PluralRules(language.tag).select(n) === 'one' ? 'n_messages_one' : 'n_messages_other';
  return t(plural, { n });
}

export function formatDuration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (ms < 1000) return t('duration_ms', { n: Math.round(ms) });
  if (s < 60) return t('duration_s', { n: s });
  if (s < 3600) return t('duration_min', { m: Math.floor(s / 60), s: s % 60 });
  return t('duration_h', { h: Math.floor(s / 3600), m: Math.floor(s / 60) % 60 });
}

export function formatList(items: string[]): string {
  return new Intl.ListFormat(language.tag).format(items);
}

/** 24 hours: columns of times must align. */
export function formatTime(ms: number, fraction: 0 | 3): string {
  const whole = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  return new Date(ms).toLocaleTimeString(language.tag, fraction ? { ...whole, fractionalSecondDigits: 3 } : whole);
}
