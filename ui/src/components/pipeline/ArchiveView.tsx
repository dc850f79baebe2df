/** What is in an archive of results and who signed it: all that is said is the archive's word, shown as plain text. */
import { useHost, type Words } from '../host';
import { type Archive, codeOf, type Signer, signersOf, strangersOf } from '../../model/results';
import { duration, shape, size, when } from '../../model/words';

const SHOWN = 200;

export function ArchiveView({ archive }: { archive: Archive }): JSX.Element {
  const { trans } = useHost();
  const { results } = archive;
  const strangers = strangersOf(archive);
  const code = codeOf(archive);
  const more = results.length - SHOWN;
  return (
    <div className="cellar-archive">
      <p>
        <b>
          <bdi>{archive.file}</bdi>
        </b>
        {': '}
        {trans._n('%1 result', '%1 results', results.length)} {trans.__('of')} <bdi>{archive.notebook}</bdi>,{' '}
        {size(archive.bytes)}. {trans.__('All of it was checked, and nothing was loaded.')}
      </p>
      <h3>{trans.__('Signed by')}</h3>
      <ul className="cellar-archive-signers">
        {signersOf(archive).map(signer => (
          <li key={signer.key} data-trust={signer.trust}>
            <code>{signer.key}</code> {signer.name && <bdi>{signer.name}</bdi>}{' '}
            <span className="cellar-archive-trust">{trustOf(signer, trans)}</span>
            {signer.key === archive.signer.key && archive.author && (
              <div className="cellar-soft">
                {trans.__('The archive says that it is from')} <bdi>{archive.author}</bdi>
                {trans.__(', made with')} <bdi>{archive.program}</bdi>
              </div>
            )}
          </li>
        ))}
      </ul>
      {strangers.length > 0 && (
        <p className="cellar-archive-warning">
          {trans.__(
            'Whoever you trust can run code here: values are loaded as their signer made them, now and later in this project. Ask them for the fingerprint (cellar key show) and compare it before you go on.'
          )}
        </p>
      )}
      <p>
        {code.length ? (
          <>
            {trans.__('Run code when they are loaded:')}{' '}
            {code.slice(0, SHOWN).map(name => (
              <code key={name}>{name} </code>
            ))}
          </>
        ) : (
          trans.__('None of these values runs code when it is loaded.')
        )}
      </p>
      <h3>{trans.__('Results')}</h3>
      <ul className="cellar-archive-results" tabIndex={0} aria-label={trans.__('Results')}>
        {results.slice(0, SHOWN).map(result => (
          <li key={result.commit}>
            <b>
              <bdi>{result.component}</bdi>
            </b>{' '}
            <span className="cellar-soft">
              {when(result.time)}, {trans.__('ran %1', duration(result.seconds))}, <bdi>{result.python}</bdi>
            </span>
            <div>
              {result.values.slice(0, SHOWN).map(value => (
                <span key={value.name} className="cellar-archive-value">
                  <code>{value.name}</code>{' '}
                  <span className="cellar-soft">
                    <bdi>{[value.type, shape(value.shape ?? [])].filter(Boolean).join(' ')}</bdi>
                    {value.reason && ` (${trans.__('not stored: %1', value.reason)})`}
                    {value.runs_code && ` (${trans.__('runs code')})`}
                  </span>
                </span>
              ))}
            </div>
          </li>
        ))}
        {more > 0 && <li>{trans.__('and %1 more', more)}</li>}
      </ul>
    </div>
  );
}

function trustOf({ trust }: Signer, trans: Words): string {
  switch (trust) {
    case 'own':
      return trans.__('your own key');
    case 'trusted':
      return trans.__('trusted in this project');
    case 'blocked':
      return trans.__('blocked in this project');
    default:
      return trans.__('not trusted in this project');
  }
}
