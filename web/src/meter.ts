// Meter: what arrived in each of the last seconds, for the plots. Pure; time is an argument.

export const kWindowS = 60;
const kSamplesMax = 512; // latencies kept per second: plenty for a median and a 99th percentile that moves calmly

interface Second {
  at: number; // whole seconds since 1970
  live: number;
  replay: number;
  latencies: number[];
}

/** Columns of equal length, oldest first; `null` where there is nothing to show. */
export interface Series {
  at: number[];
  live: number[];
  replay: number[];
  median: (number | null)[];
  p99: (number | null)[];
}

export class Meter {
  private seconds: Second[] = [];

  add(now: number, kind: 'live' | 'replay', latency: number | undefined): void {
    const second = this.second(Math.floor(now / 1000));
    second[kind] += 1;
    if (latency === undefined) return;
    if (second.latencies.length < kSamplesMax) second.latencies.push(latency);
    // Algorithm R: every latency of the second has the same chance to be among those kept.
    else {
      const slot = Math.floor(Math.random() * (second.live + second.replay));
      if (slot < kSamplesMax) second.latencies[slot] = latency;
    }
  }

  /** The last full minute. The running second is left out, because it would always look like a drop. */
  series(now: number): Series {
    const end = Math.floor(now / 1000);
    const known = new Map(this.seconds.map((second) => [second.at, second]));
    const series: Series = { at: [], live: [], replay: [], median: [], p99: [] };
    for (let at = end - kWindowS - 1; at < end; at++) {
      const second = known.get(at);
      const sorted = second ? [...second.latencies].sort((a, b) => a - b) : [];
      series.at.push(at);
      series.live.push(second?.live ?? 0);
      series.replay.push(second?.replay ?? 0);
      series.median.push(quantile(sorted, 0.5));
      series.p99.push(quantile(sorted, 0.99));
    }
    return series;
  }

  private second(at: number): Second {
    let last = this.seconds.at(-1);
    if (!last || last.at !== at) {
      last = { at, live: 0, replay: 0, latencies: [] };
      this.seconds.push(last);
      while (this.seconds.length > kWindowS + 2) this.seconds.shift();
    }
    return last;
  }
}

/** Of sorted numbers; null of none. */
export function quantile(sorted: number[], q: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
