/** What views that take keys by themselves share: which keys these are, and that nobody else hears of one that was taken. */
import type { KeyboardEvent } from 'react';

/** True for a key without Ctrl, Alt or Meta: with one it belongs to the browser or to JupyterLab. */
export function isPlain({ ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey;
}

/** Do what a key stands for; nobody else hears of it. */
export function taken(event: KeyboardEvent, does: () => unknown): void {
  event.preventDefault();
  event.stopPropagation();
  does();
}
