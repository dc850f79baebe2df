import { defineConfig } from 'vite';

// The stand-alone page; the server part serves it below its own base URL, hence the relative paths.
export default defineConfig({
  root: 'src/page',
  base: './',
  resolve: { dedupe: ['react', 'react-dom', '@codemirror/state', '@codemirror/view'] },
  build: { outDir: '../../../src/nbcellar/server/static', emptyOutDir: true, sourcemap: false }
});
