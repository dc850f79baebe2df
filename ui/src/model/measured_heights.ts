/**
 * Where rows stand of which only those in view are mounted, so that the heights of the others are not known.
 *
 * Invariant: `top(n)` grows with n; a height that was measured counts, any other is estimated. Pure.
 */
import { Heights } from './heights';

export class MeasuredHeights extends Heights {
  constructor(
    readonly keys: readonly string[],
    estimate: (at: number) => number,
    measured: ReadonlyMap<string, number>
  ) {
    super(keys.map((key, at) => Math.max(1, measured.get(key) ?? estimate(at))));
  }

  /** Return the rows in view, the end exclusive, with `beyond` pixels on either side. */
  range(scrollTop: number, height: number, beyond: number): [number, number] {
    return this.count ? [this.at(scrollTop - beyond), this.at(scrollTop + height + beyond) + 1] : [0, 0];
  }
}
