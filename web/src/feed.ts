// Feed: the newest rows of the live feed, bounded. Plain data; the page looks at it once per frame at most.
import type { CatchUp, Delivery, Gap } from './lib/wirebird';

/** What stands in one line of the feed: a message, or a remark about the connection between messages. */
export type Row = { id: number; at: number } & (
  | { type: 'message'; message: Delivery }
  | { type: 'lost' }
  | { type: 'back'; comeback: CatchUp }
  | { type: 'gap'; gap: Gap }
);

type Entry = Row extends infer R ? (R extends Row ? Omit<R, 'id'> : never) : never;

const kRowsMax = 1000; // far more than anybody scrolls through, and nothing in memory

export class Feed {
  private rows: Row[] = []; // oldest first
  private added = 0;

  get total(): number {
    return this.added;
  }

  add(entry: Entry): void {
    this.rows.push({ ...entry, id: ++this.added });
    // Cut in halves, so that each row is moved once on average.
    if (this.rows.length >= 2 * kRowsMax) this.rows = this.rows.slice(-kRowsMax);
  }

  clear(): void {
    this.rows = [];
  }

  /** Oldest first. Later additions do not change it. */
  snapshot(): Row[] {
    return this.rows.slice(-kRowsMax);
  }

  get length(): number {
    return Math.min(this.rows.length, kRowsMax);
  }

  /** Counted from the newest, which is 0. */
  at(index: number): Row {
    return this.rows[this.rows.length - 1 - index];
  }
}
