/** Orders: which of a row of numbers may stay where they are while the others move. */

/**
 * Return the positions of a longest rising subsequence of `numbers`; negative ones are left out.
 *
 * Method: patience sorting, O(n log n).
 */
export function longestRise(numbers: readonly number[]): number[] {
  const tops: number[] = [];
  const before: number[] = new Array<number>(numbers.length).fill(-1);
  numbers.forEach((number, at) => {
    if (number < 0) {
      return;
    }
    let low = 0;
    let high = tops.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[tops[middle]!]! < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    before[at] = low > 0 ? tops[low - 1]! : -1;
    tops[low] = at;
  });
  const found: number[] = [];
  for (let at = tops.length ? tops[tops.length - 1]! : -1; at >= 0; at = before[at]!) {
    found.push(at);
  }
  return found.reverse();
}
