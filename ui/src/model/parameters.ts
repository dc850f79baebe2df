/** Values of parameters as somebody types them, checked against the type that a parameter has. Pure. */

type Typed = { readonly value: unknown } | { readonly wrong: true };

const WRONG: Typed = { wrong: true };

/** Return a value as it is typed. */
export function textOf(value: unknown, type: string): string {
  return type === 'string' ? String(value) : JSON.stringify(value);
}

/** Return what a text says as a value of a type, by JSON's words for types; an integer is a number, too. */
export function valueOf(text: string, type: string): Typed {
  if (type === 'string') {
    return { value: text };
  }
  const read = jsonOf(text.trim());
  if (read === undefined) {
    return WRONG;
  }
  const { value } = read;
  const fits = {
    boolean: typeof value === 'boolean',
    integer: typeof value === 'number' && Number.isInteger(value) && /^-?\d+$/.test(text.trim()),
    number: typeof value === 'number',
    array: Array.isArray(value),
    object: typeof value === 'object' && value !== null && !Array.isArray(value),
    null: true
  }[type];
  return fits ? { value } : WRONG;
}

/** Return what a text says for a new parameter: JSON, or else the text itself, as `cellar pipeline param` takes it. */
export function valueOfNew(text: string): unknown {
  const read = jsonOf(text.trim());
  return read === undefined ? text : read.value;
}

function jsonOf(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Whether a text can be the name of a variable of Python. */
export const isName = (text: string): boolean => /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(text);
