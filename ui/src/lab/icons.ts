/** Icons, in the colours of the theme. */
import { LabIcon } from '@jupyterlab/ui-components';

const svg = (inner: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161">${inner}</g></svg>`;

export const historyIcon = new LabIcon({
  name: 'nbcellar:history',
  svgstr: svg(
    '<path d="M4.4 4.8v6.4H3.6V4.8Zm7.2-.3v1.1c0 2-1.6 2.7-3.6 3-1.9.3-3.2.6-3.5 2l-.8-.2c.4-1.9 2.2-2.3 4.2-2.6 1.8-.3 2.9-.7 2.9-2.2V4.5Z"/>' +
      '<circle cx="4" cy="3.4" r="1.9"/><circle cx="4" cy="12.6" r="1.9"/><circle cx="11.2" cy="3.4" r="1.9"/>'
  )
});

export const variablesIcon = new LabIcon({
  name: 'nbcellar:variables',
  svgstr: svg(
    '<path d="M5.2 2.2v1c-1.3 0-1.5.5-1.5 1.5v1.5c0 .9-.3 1.5-1 1.8.7.3 1 .9 1 1.8v1.5c0 1 .2 1.5 1.5 1.5v1c-2 0-2.6-.8-2.6-2.4V9.8c0-.9-.3-1.2-1.2-1.2V7.4c.9 0 1.2-.3 1.2-1.2V4.6c0-1.6.6-2.4 2.6-2.4Zm5.6 0c2 0 2.6.8 2.6 2.4v1.6c0 .9.3 1.2 1.2 1.2v1.2c-.9 0-1.2.3-1.2 1.2v1.6c0 1.6-.6 2.4-2.6 2.4v-1c1.3 0 1.5-.5 1.5-1.5V9.8c0-.9.3-1.5 1-1.8-.7-.3-1-.9-1-1.8V4.7c0-1-.2-1.5-1.5-1.5Z"/><path d="m6 5.6 1.5 2.3L5.9 10.4h1.2L8 8.8l.9 1.6h1.3L8.6 7.9l1.5-2.3H8.9L8 7 7.2 5.6Z"/>'
  )
});

function drawn(name: string, strokes: string, dots = ''): LabIcon {
  return new LabIcon({
    name: `nbcellar:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
      <g class="cellar-icon-strokes" fill="none" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">
        ${strokes}
      </g>
      <g class="cellar-icon-dots">${dots}</g>
    </svg>`
  });
}

/** A cell, and the way back over it. */
export const undoIcon = drawn('undo', '<path d="M5.5 2.5 2.5 5.5l3 3M2.8 5.5h6.4a3.8 3.8 0 0 1 0 7.6H6"/>');
export const redoIcon = drawn('redo', '<path d="m10.5 2.5 3 3-3 3M13.2 5.5H6.8a3.8 3.8 0 0 0 0 7.6H10"/>');
/** A point on a line. */
export const commitIcon = drawn('commit', '<circle cx="8" cy="8" r="3"/><path d="M1.5 8H5M11 8h3.5"/>');
/** Points, one of them now. */
export const checkoutIcon = drawn(
  'checkout',
  '<path d="M4 4v8M4 8c4 0 7 0 7 3.2"/>',
  '<circle cx="4" cy="3" r="1.7"/><circle cx="4" cy="13" r="1.7"/><circle cx="11.5" cy="12.6" r="2.2"/>'
);
/** A kernel that comes back. */
export const restoreIcon = drawn('restore', '<path d="M3 8a5 5 0 1 1 1.6 3.7M3 13.2V10h3.2M8 5.2V8l2 1.4"/>');
/** Cells in an order. */
export const pipelineIcon = drawn(
  'pipeline',
  '<rect x="5.2" y="1.8" width="5.6" height="3.6" rx="1"/><rect x="1.6" y="10.6" width="5.2" height="3.6" rx="1"/>' +
    '<rect x="9.2" y="10.6" width="5.2" height="3.6" rx="1"/><path d="M8 5.4v2.2M4.2 10.6V9.2C4.2 8 5 7.6 6 7.6h4c1 0 1.8.4 1.8 1.6v1.4"/>'
);
