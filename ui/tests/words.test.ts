import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** Attributes and properties whose text people read or hear. */
const SHOWN = new Set([
  ...['aria-label', 'aria-description', 'aria-roledescription', 'alt', 'placeholder', 'title', 'label', 'caption'],
  ...['message', 'text', 'body', 'summary', 'tooltip', 'ariaLabel', 'textContent', 'innerText', 'action', 'headline']
]);
/** Calls whose first argument is shown. */
const SHOWING =
  /^(Notification\.(info|success|warning|error|emit|promise)|window\.(confirm|alert)|document\.createTextNode)$/;
const TRANSLATING = /^_(_|n|p|np)$/;
/** What is the same in each language. */
const NAMES = /\b(Cellar|git|HEAD|JSON)\b/g;
const isWord = (text: string) => /\p{L}{2}/u.test(text.replace(NAMES, ''));
/** Elements with what is typed: commands, keys. */
const VERBATIM = /^(code|kbd)$/;

const ROOT = join(__dirname, '..', 'src');
const FILES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter(name => /\.tsx?$/.test(name) && !name.includes('generated'))
  .map(name => join(ROOT, name));

/** Return the texts of a source file that are shown as they stand there, and texts for translation that are none. */
function untranslated(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const tell = (node: ts.Node, what: string) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${name.slice(ROOT.length + 1)}:${line + 1}: ${what}`);
  };
  const literals = (node: ts.Expression): string[] => {
    if (ts.isStringLiteralLike(node)) {
      return [node.text];
    }
    if (ts.isTemplateExpression(node)) {
      return [node.head.text, ...node.templateSpans.map(span => span.literal.text)];
    }
    if (ts.isConditionalExpression(node)) {
      return [...literals(node.whenTrue), ...literals(node.whenFalse)];
    }
    if (ts.isBinaryExpression(node)) {
      const isText = [ts.SyntaxKind.PlusToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken];
      return isText.includes(node.operatorToken.kind) ? [...literals(node.left), ...literals(node.right)] : [];
    }
    return ts.isParenthesizedExpression(node) || ts.isAsExpression(node) ? literals(node.expression) : [];
  };
  const check = (node: ts.Expression | undefined) => {
    const bad = node && literals(node).find(isWord);
    if (bad !== undefined) {
      tell(node!, bad.trim());
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxElement(node) && VERBATIM.test(node.openingElement.tagName.getText())) {
      return;
    }
    if (ts.isJsxText(node) && isWord(node.text)) {
      tell(node, node.text.trim());
    } else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) {
      check(node.expression);
    } else if (ts.isJsxAttribute(node) && SHOWN.has(node.name.getText())) {
      check(
        node.initializer && ts.isJsxExpression(node.initializer)
          ? node.initializer.expression
          : (node.initializer as ts.StringLiteral)
      );
    } else if (ts.isPropertyAssignment(node) && SHOWN.has(node.name.getText())) {
      check(node.initializer);
    } else if (
      ts.isBinaryExpression(node) &&
      ts.isPropertyAccessExpression(node.left) &&
      SHOWN.has(node.left.name.text)
    ) {
      check(node.right);
    } else if (ts.isCallExpression(node)) {
      const called = node.expression.getText();
      if (SHOWING.test(called) || (/setAttribute$/.test(called) && SHOWN.has(literals(node.arguments[0]!)[0] ?? ''))) {
        check(node.arguments[SHOWING.test(called) ? 0 : 1]);
      }
      if (ts.isPropertyAccessExpression(node.expression) && TRANSLATING.test(node.expression.name.text)) {
        const count = node.expression.name.text.startsWith('_n') ? 2 : 1;
        if (!node.arguments.slice(0, count).every(ts.isStringLiteralLike)) {
          tell(node, `no text that can be found for translation: ${node.getText()}`);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test('what is shown goes through the translator, as a text that can be found', () => {
  expect(FILES.length).toBeGreaterThan(80);
  expect(FILES.flatMap(name => untranslated(name, readFileSync(name, 'utf8')))).toEqual([]);
});

test.each([
  '<p>Hello</p>',
  '<b title="Close">×</b>',
  "<b aria-label={x ? 'Open' : y} />",
  "<p>{x && y ? z : 'None'}</p>",
  "Notification.info('Done')",
  'Notification.info(`Done ${x}`)',
  "({ label: 'Close' })",
  "node.title = 'Close'",
  "node.setAttribute('aria-label', 'Close')",
  'trans.__(`of ${x}`)',
  'trans.__(TEXT)'
])('a text past the translator is found: %s', text => {
  expect(untranslated(join(ROOT, 'x.tsx'), text)).toHaveLength(1);
});

test.each([
  '<p>{trans.__("Hello")} Cellar ×</p>',
  '<b className="x" title={trans.__("Close")} data-x="close" />',
  "({ label: trans.__('Close'), name: 'close' })",
  "trans._n('1 cell', '%1 cells', count)"
])('what is translated or not shown is not: %s', text => {
  expect(untranslated(join(ROOT, 'x.tsx'), text)).toEqual([]);
});
