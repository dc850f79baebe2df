/** Where rows of different heights lie, for lists that draw only what is seen. */
export class Heights {
  /** Where each row begins, and at the end where the last one ends. */
  readonly tops: Float64Array;

  constructor(heights: ArrayLike<number>) {
    this.tops = new Float64Array(heights.length + 1);
    for (let row = 0; row < heights.length; row++) {
      this.tops[row + 1] = this.tops[row]! + heights[row]!;
    }
  }

  get count(): number {
    return this.tops.length - 1;
  }

  get total(): number {
    return this.tops[this.count]!;
  }

  top(row: number): number {
    return this.tops[row] ?? 0;
  }

  height(row: number): number {
    return (this.tops[row + 1] ?? 0) - (this.tops[row] ?? 0);
  }

  /** Return the row at a place, the first or the last one outside. */
  at(place: number): number {
    let low = 0;
    let high = Math.max(this.count - 1, 0);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= place) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
}
