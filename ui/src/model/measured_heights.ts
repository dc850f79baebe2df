/**
 * Where rows of unequal height stand in a long list of which only those in view are mounted.
 *
 * Invariant: `top(n)` grows with n; a height that was measured counts, any other is estimated. Pure.
 */
export class Heights {
  private tops: number[] = [0];

  constructor(
    readonly keys: readonly string[],
    estimate: (at: number) => number,
    measured: ReadonlyMap<string, number>
  ) {
    for (let at = 0; at < keys.length; at++) {
      this.tops.push(this.tops[at]! + Math.max(1, measured.get(keys[at]!) ?? estimate(at)));
    }
  }

  get total(): number {
    return this.tops[this.keys.length]!;
  }

  top(at: number): number {
    return this.tops[Math.max(0, Math.min(at, this.keys.length))]!;
  }

  /** Return the row at a height, the last one for all below. */
  at(y: number): number {
    let [low, high] = [0, Math.max(0, this.keys.length - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= y) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** Return the rows in view, the end exclusive, with `beyond` pixels on either side. */
  range(scrollTop: number, height: number, beyond: number): [number, number] {
    if (!this.keys.length) {
      return [0, 0];
    }
    return [this.at(Math.max(0, scrollTop - beyond)), this.at(scrollTop + height + beyond) + 1];
  }
}
