/** `embed.js`: one classic script without a hash in its name, beside what `vite.config.ts` builds. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: {
      entry: fileURLToPath(new URL('./src/dropin/embed.ts', import.meta.url)),
      formats: ['iife'],
      name: 'synctalk',
      fileName: () => 'embed.js',
    },
  },
})
