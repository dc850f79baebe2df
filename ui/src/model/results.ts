/** What is in an archive of results, for who decides whether to trust its signers. Pure. */
import type { Answer } from '../wire/client';

export type Archive = Answer<'pipeline-results-look'>;
export type Signer = Archive['signer'];

const ENDING = '.tar.gz';

/** Return all who signed: the archive first, then its results; each once. */
export function signersOf({ signer, results }: Archive): Signer[] {
  return [...new Map([signer, ...results.map(result => result.signer)].map(each => [each.key, each])).values()];
}

/** Return the fingerprints of those who are neither trusted here nor blocked. */
export const strangersOf = (archive: Archive): string[] =>
  signersOf(archive)
    .filter(({ trust }) => trust !== 'own' && trust !== 'trusted' && trust !== 'blocked')
    .map(({ key }) => key);

/** Return the fingerprints of those who are blocked here: nothing that they signed is taken in. */
export const blockedOf = (archive: Archive): string[] =>
  signersOf(archive)
    .filter(({ trust }) => trust === 'blocked')
    .map(({ key }) => key);

/** Return the names whose values run code when they are loaded, each once, in order. */
export const codeOf = ({ results }: Archive): string[] =>
  [...new Set(results.flatMap(({ values }) => values.filter(value => value.runs_code).map(({ name }) => name)))].sort();

/** Return the name of the archive that somebody means: `x` and `x.tar` are `x.tar.gz`, too. */
export function archiveName(text: string): string {
  const plain = text.trim();
  return plain && `${plain.replace(/(\.tar)?(\.gz)?$|\.tgz$/i, '')}${ENDING}`;
}

/** Return the name that is proposed for the results of a notebook. */
export const proposedName = (path: string): string =>
  `${path
    .split('/')
    .pop()!
    .replace(/\.ipynb$/, '')}.results${ENDING}`;

export const isArchiveName = (name: string): boolean => /\.(tar\.gz|tgz)$/i.test(name);
