/** Code in a few colours. */
import { memo } from 'react';
import { highlight } from '../../model/highlight';

export const Code = memo(function Code({ text }: { text: string }): JSX.Element {
  return (
    <>
      {highlight(text).map((piece, index) =>
        piece.colour ? (
          <span key={index} className={`cellar-code-${piece.colour}`}>
            {piece.text}
          </span>
        ) : (
          piece.text
        )
      )}
    </>
  );
});
