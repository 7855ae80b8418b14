// EventStream: a parser for text/event-stream (WHATWG HTML 9.2.6) that, unlike the browser's EventSource, also shows
// events without data. Wirebird announces the start of a subscription by an `id:` alone. Pure: feed it text in any cuts.

export interface StreamEvent {
  event: string;
  data: string;
  /** undefined if the event carried no id. */
  id: string | undefined;
}

export class EventStream {
  private rest = '';
  private afterCarriageReturn = false; // a line feed that comes next belongs to the line end before
  private event = '';
  private data: string[] = [];
  private id: string | undefined;

  /** The events completed by `chunk`. Comment lines (heartbeats) and `retry:` are skipped. */
  feed(chunk: string): StreamEvent[] {
    if (chunk === '') return [];
    const text = this.rest + (this.afterCarriageReturn && chunk[0] === '\n' ? chunk.slice(1) : chunk);
    this.afterCarriageReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.line(line) ?? []);
  }

  private line(line: string): StreamEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
    else if (field === 'id') this.id = value;
    return undefined;
  }

  private dispatch(): StreamEvent | undefined {
    const { event, data, id } = this;
    [this.event, this.data, this.id] = ['', [], undefined];
    if (data.length === 0 && id === undefined) return undefined;
    return { event: event || 'message', data: data.join('\n'), id };
  }
}
