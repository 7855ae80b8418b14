// The settings live in the address behind the #, so that a link or a bookmark opens the same feed.
import type { Door } from './lib/wirebird';
import type { Settings } from './session.svelte';

export const kDoors: Door[] = ['websocket', 'raw', 'sse', 'poll'];
/** What README tells to publish to, and what `wirebird demo feed` publishes to. */
export const kDemoChannels = ['ticker', 'weather', 'scores'];
export const kOfferedChannels = ['news', ...kDemoChannels];
export const kSinces = ['', '-10', '-100'];
/** What the page shows: the feed of our own doors, or the same channel through the Centrifuge SDK. */
export const kViews = ['feed', 'sdk'] as const;
export type View = (typeof kViews)[number];

export function isChannel(name: string): boolean {
  const bytes = new TextEncoder().encode(name).length;
  return bytes >= 1 && bytes <= 255 && !/[\u0000-\u001f\u007f-\u009f]/.test(name);
}

export function readSettings(): Settings {
  const fields = new URLSearchParams(location.hash.slice(1));
  const channel = fields.get('channel') ?? '';
  const door = fields.get('door') as Door;
  const since = fields.get('since') ?? '-10';
  return {
    channel: isChannel(channel) ? channel : 'news',
    door: kDoors.includes(door) ? door : 'websocket',
    since: kSinces.includes(since) ? since : '-10',
  };
}

export function readView(): View {
  const view = new URLSearchParams(location.hash.slice(1)).get('view') as View;
  return kViews.includes(view) ? view : 'feed';
}

export function writeSettings({ channel, door, since }: Settings, view: View): void {
  const fields = new URLSearchParams({ channel, door, since });
  if (view !== 'feed') fields.set('view', view);
  history.replaceState(null, '', `#${fields}`);
}
