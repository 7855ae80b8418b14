// Timeline: the messages of one channel, oldest first, with remarks about the connection between them. It grows at both
// ends: what is published below, older pages above. Plain data; the page looks at it once per frame at most.

export type Arrival = 'live' | 'recovered' | 'history';

export interface Spoken {
  offset: number;
  /** As the SDK gives it: JSON of any kind, text, or bytes as `{base64}`. */
  data: unknown;
  /** The connection that published it; undefined if it came by another door. */
  client: string | undefined;
}

export type Row = { id: number } & (
  | { type: 'message'; message: Spoken; arrival: Arrival }
  | { type: 'lost' }
  | { type: 'back'; awayMs: number; recovered: number }
  /** `missed` undefined: the channel began anew, and nobody can count. */
  | { type: 'gap'; missed: number | undefined }
);

export const kRowsMax = 2000; // twice what the server keeps of a channel unless it is told otherwise

export class Timeline {
  rows: Row[] = [];
  epoch = '';
  /** Nothing older can be had. */
  complete = false;

  private ids = 0;
  private oldestOffset = 0; // 0: no message yet
  private newestOffset = 0;

  get oldest(): number {
    return this.oldestOffset;
  }

  get newest(): number {
    return this.newestOffset;
  }

  /** Below. False: it was here already. */
  append(message: Spoken, arrival: Arrival): boolean {
    if (message.offset > 0) {
      if (message.offset <= this.newestOffset) return false;
      this.newestOffset = message.offset;
      this.oldestOffset ||= message.offset;
    }
    this.add({ type: 'message', message, arrival });
    return true;
  }

  lost(): void {
    this.add({ type: 'lost' });
  }

  /** Returns the remark, which counts what is recovered after it. */
  back(awayMs: number): Row & { type: 'back' } {
    const row = { id: ++this.ids, type: 'back' as const, awayMs, recovered: 0 };
    this.push(row);
    return row;
  }

  /**
   * After a comeback that recovered nothing: `newestFirst` is the newest page of the log, whose head is `head`. Returns how
   * many messages between are lost; undefined: the channel began anew.
   */
  resume(newestFirst: Spoken[], epoch: string, head: number): number | undefined {
    const reborn = epoch !== this.epoch;
    const first = newestFirst.at(-1)?.offset ?? head + 1;
    const missed = reborn ? undefined : Math.max(0, first - this.newestOffset - 1);
    this.epoch = epoch;
    if (reborn) {
      this.complete = true; // what is above belongs to another epoch
      this.newestOffset = 0;
    }
    if (missed !== 0) this.add({ type: 'gap', missed });
    for (const message of [...newestFirst].reverse()) this.append(message, 'history');
    this.newestOffset = Math.max(this.newestOffset, head);
    return missed;
  }

  /** Above. A page shorter than it could be is the last one. */
  prepend(newestFirst: Spoken[], pageMax: number): void {
    const older = newestFirst.filter(({ offset }) => this.oldestOffset === 0 || offset < this.oldestOffset);
    if (older.length > 0) {
      this.oldestOffset = older.at(-1)!.offset;
      this.newestOffset = Math.max(this.newestOffset, older[0].offset);
      const rows = older.map((message): Row => ({ id: ++this.ids, type: 'message', message, arrival: 'history' }));
      this.rows = [...rows.reverse(), ...this.rows];
    }
    if (newestFirst.length < pageMax || this.oldestOffset === 1 || this.rows.length >= kRowsMax) this.complete = true;
  }

  private add(entry: Row extends infer R ? (R extends Row ? Omit<R, 'id'> : never) : never): void {
    this.push({ ...entry, id: ++this.ids });
  }

  private push(row: Row): void {
    this.rows.push(row);
    if (this.rows.length <= kRowsMax) return;
    this.rows = this.rows.slice(kRowsMax / 4); // a quarter at once, so that not every message moves all
    this.oldestOffset = this.rows.find((each) => each.type === 'message')?.message.offset ?? 0;
  }
}
