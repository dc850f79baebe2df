import { describe, expect, test } from 'vitest';
import {
  type Archive,
  archiveName,
  blockedOf,
  codeOf,
  proposedName,
  signersOf,
  strangersOf
} from '../src/model/results';

/** An archive by who signed it and its results: `key trust`, and the names of the results that run code. */
function archive(signer: string, ...results: [string, ...string[]][]): Archive {
  const signed = (text: string) => {
    const [key, trust] = text.split(' ');
    return { key, name: '', trust };
  };
  return {
    signer: signed(signer),
    results: results.map(([by, ...names]) => ({
      signer: signed(by),
      values: [
        { name: 'plain', type: 'int', runs_code: false },
        { name: 'left', type: '', runs_code: null },
        ...names.map(name => ({ name, type: 'function', runs_code: true }))
      ]
    }))
  } as unknown as Archive;
}

describe('who signed an archive', () => {
  test('is asked about once each, and only who is not trusted yet', () => {
    const found = archive('a untrusted', ['b own'], ['a untrusted'], ['c trusted'], ['d blocked'], ['e untrusted']);
    expect(signersOf(found).map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(strangersOf(found)).toEqual(['a', 'e']);
    expect(blockedOf(found)).toEqual(['d']);
  });

  test('is a stranger where the word for it is unknown', () => {
    expect(strangersOf(archive('a something-new', ['a something-new']))).toEqual(['a']);
  });
});

test('names that run code are listed once, in order', () => {
  expect(codeOf(archive('a own', ['a own', 'z', 'f'], ['a own', 'f']))).toEqual(['f', 'z']);
  expect(codeOf(archive('a own', ['a own']))).toEqual([]);
});

describe('the name of an archive', () => {
  test.each([
    ['mine', 'mine.tar.gz'],
    [' mine.tar.gz ', 'mine.tar.gz'],
    ['mine.tar', 'mine.tar.gz'],
    ['mine.gz', 'mine.tar.gz'],
    ['mine.tgz', 'mine.tar.gz'],
    ['v1.2', 'v1.2.tar.gz'],
    ['', ''],
    ['  ', '']
  ])('%j is %j', (text, name) => expect(archiveName(text)).toBe(name));

  test('is proposed by the notebook', () => {
    expect(proposedName('deep/sales.v2.ipynb')).toBe('sales.v2.results.tar.gz');
  });
});
