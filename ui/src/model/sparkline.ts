/**
 * The points of a sparkline: when a variable changed on the way to a commit, and its number where it is one.
 *
 * Pure: a lifeline goes in, places within a box come out.
 */
import type { Answer } from '../wire/client';

export type Lifeline = Answer<'lifelines'>['variables'][number];

interface Spark {
  /** Where it changed. */
  readonly ticks: readonly number[];
  /** The way of its number, as the points of steps; nothing where it has none. */
  readonly path: string;
}

export function spark(line: Lifeline, length: number, width: number, height: number): Spark {
  const last = Math.max(length - 1, 1);
  const ticks = line.places.map(place => round(1 + ((width - 2) * place) / last));
  const numbers = line.values.filter((value): value is number => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length < line.values.length / 2 || low >= high) {
    return { ticks, path: '' };
  }
  const y = (value: number) => round(height - 2 - ((height - 4) * (value - low)) / (high - low));
  let path = '';
  line.values.forEach((value, index) => {
    if (value !== null) {
      path += path ? `H${ticks[index]}V${y(value)}` : `M${ticks[index]} ${y(value)}`;
    }
  });
  return { ticks, path: `${path}H${width - 1}` };
}

const round = (value: number): number => Math.round(value * 10) / 10;
