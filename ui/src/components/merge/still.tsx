/** Cells as they will be, for reading: code in its colours, outputs in their static form. */
import type { JSX } from 'react';
import type { Output } from '../../model/comparison';
import { text, type CellLike } from '../../model/merge';
import { OutputView } from '../diff';
import { useHost } from '../host';
import { piecesOf, tokensOf } from './highlight';

const MOST_OUTPUTS = 20;

interface Props {
  readonly cell: CellLike;
  readonly language: string;
  readonly outputs?: readonly Output[];
}

export function StillCell({ cell, language, outputs = [] }: Props): JSX.Element {
  const source = text(cell.source);
  const tokens = tokensOf(source, cell.cell_type, language);
  return (
    <>
      <pre className="cellar-merge-source">
        <code>
          {source.split('\n').map((line, number) => (
            <span key={number}>
              {number ? '\n' : ''}
              {piecesOf(line, tokens[number]!, []).map((piece, at) => (
                <span key={at} className={piece.name}>
                  {piece.text}
                </span>
              ))}
            </span>
          ))}
        </code>
      </pre>
      <StillOutputs outputs={outputs} />
    </>
  );
}

export function StillOutputs({ outputs }: { readonly outputs: readonly Output[] }): JSX.Element | null {
  const { trans } = useHost();
  const more = outputs.length - MOST_OUTPUTS;
  return outputs.length ? (
    <div className="cellar-merge-outputs">
      {outputs.slice(0, MOST_OUTPUTS).map((output, at) => (
        <OutputView key={at} output={output} />
      ))}
      {more > 0 && <p>{trans._n('1 more output', '%1 more outputs', more)}</p>}
    </div>
  ) : null;
}
