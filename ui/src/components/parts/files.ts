/** Files that a user saves from a view, and picks for it. */

/** Have the browser save a text as a file. */
export function saveAs(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link); // some browsers follow only links that are in the page
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url));
}

/** Have the user pick a file; what is picked comes to `done`. To be called where a click or a key is handled. */
export function pickFile(accept: string, done: (file: File) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = accept;
  input.onchange = () => {
    const file = input.files?.[0];
    if (file) {
      done(file);
    }
  };
  input.click();
}
