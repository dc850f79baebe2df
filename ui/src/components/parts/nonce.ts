/** What the page's strict policy asks of styles and markup that are made while it runs; nothing where there is none. */

/** Return the nonce that a style element has to carry on this page, "" where none is needed. */
export function styleNonce(): string {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
  return nonce.replace(/[^\w+/=-]/g, '');
}

interface MarkupPolicy {
  createHTML(text: string): string;
}

let policy: MarkupPolicy | undefined;

/** Return markup that the server has cleaned as what a sandboxed frame takes where Trusted Types are enforced. */
export function cleanedMarkup(html: string): string {
  const types = (window as { trustedTypes?: { createPolicy(name: string, rules: MarkupPolicy): MarkupPolicy } })
    .trustedTypes;
  policy ??= types?.createPolicy('cellar', { createHTML: text => text }) ?? { createHTML: text => text };
  return policy.createHTML(html);
}
