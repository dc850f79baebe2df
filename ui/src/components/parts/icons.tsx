/** Small pictures of our own, in the colour of the text around them. */
const PATHS = {
  more: 'M4 8.5a1 1 0 1 0 0-1 1 1 0 0 0 0 1Zm4 0a1 1 0 1 0 0-1 1 1 0 0 0 0 1Zm4 0a1 1 0 1 0 0-1 1 1 0 0 0 0 1Z',
  branch: 'M5 3v10M5 10c0-3 6-2 6-5M5 3.1a1.6 1.6 0 1 0 0-.1M11 5a1.6 1.6 0 1 0 0-.1M5 13a1.6 1.6 0 1 0 0-.1',
  tag: 'M3 3h5l5 5-5 5-5-5ZM5.6 5.6h.1',
  right: 'M6 4l4 4-4 4',
  down: 'M4 6l4 4 4-4',
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm3-1 3.5 3.5',
  failed: 'M8 2.5 14 13H2ZM8 6.5v3M8 11.2v.2',
  uncertain: 'M6 6.2c0-2.6 4-2.5 4-.2 0 1.6-2 1.6-2 3.4M8 12v.2',
  thinned: 'M3 4h10M5 8h6M7 12h2',
  unsaved: 'M3 3l10 10M4 9.5a2.5 2.5 0 0 1 .8-4.8M7 3.6a3.5 3.5 0 0 1 4.4 3A2.3 2.3 0 0 1 12.5 10M5 12h5',
  checkout: 'M3 8h8M8 4.5 11.5 8 8 11.5M13.5 3v10',
  undo: 'M6 3 3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6',
  compare: 'M5 3v10M3 5h4M11 3v10M9 11h4M9 5h4',
  bring: 'M8 2.5v7M5 7l3 3 3-3M3 13h10'
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg className="cellar-icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
